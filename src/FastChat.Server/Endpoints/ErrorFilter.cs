using System.Globalization;
using FastChat.Chat;
using FastChat.Server.Storage.Documents;
using FastChat.Storage;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FastChat.Server.Endpoints;

/// <summary>
/// Turns what handlers throw into problem details (RFC 9457), whose <c>detail</c> is one sentence for the user. A filter and not
/// middleware, so that <c>MapFastChat</c> brings it along into any application.
/// </summary>
internal sealed partial class ErrorFilter(ILogger<ErrorFilter> logger) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        // What is told here is one user's: no cache may keep it.
        context.HttpContext.Response.Headers.CacheControl = "no-store";
        context.HttpContext.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            return await next(context);
        }
        catch (OperationCanceledException) when (context.HttpContext.RequestAborted.IsCancellationRequested)
        {
            return Results.Empty;
        }
        catch (Exception e)
        {
            return ToProblem(context.HttpContext, e);
        }
    }

    private ProblemHttpResult ToProblem(HttpContext http, Exception exception)
    {
        switch (exception)
        {
            case ChatException chat:
                if (chat.Error.RetryAfter is { } wait)
                    http.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
                return Problem(StatusOf(chat.Error.Code), chat.Error.Message, chat.Error.Code.ToWire());
            case DocumentException { Unsupported: true } document:
                return TypedResults.Problem(document.Message, statusCode: StatusCodes.Status415UnsupportedMediaType,
                    extensions: [KeyValuePair.Create("accepted", (object?)DocumentFormat.Accepted)]);
            case DocumentException document:
                return Problem(StatusCodes.Status400BadRequest, document.Message, ChatErrorCode.BadRequest.ToWire());
            case BadHttpRequestException bad:
                return Problem(bad.StatusCode, bad.StatusCode == StatusCodes.Status413PayloadTooLarge ? "The request is too large." : bad.Message, null);
            case StoreException { Error: StoreError.InvalidRequest } store:
                return Problem(StatusCodes.Status400BadRequest, store.Message, ChatErrorCode.BadRequest.ToWire());
            case StoreException { Error: StoreError.Busy or StoreError.Unavailable or StoreError.Closed } store:
                StoreFailed(logger, store);
                http.Response.Headers.RetryAfter = "5";
                return Problem(StatusCodes.Status503ServiceUnavailable, "The store cannot be reached right now. Please try again.", "unavailable");
            default:
                RequestFailed(logger, exception);
                return Problem(StatusCodes.Status500InternalServerError, "Internal server error", "internal");
        }
    }

    internal static int StatusOf(ChatErrorCode code) => code switch
    {
        ChatErrorCode.BadJson or ChatErrorCode.BadRequest or ChatErrorCode.UnknownType => StatusCodes.Status400BadRequest,
        ChatErrorCode.TooLarge => StatusCodes.Status413PayloadTooLarge,
        ChatErrorCode.Unauthorized => StatusCodes.Status401Unauthorized,
        ChatErrorCode.NotFound => StatusCodes.Status404NotFound,
        ChatErrorCode.Conflict => StatusCodes.Status409Conflict,
        ChatErrorCode.RateLimited or ChatErrorCode.Busy => StatusCodes.Status429TooManyRequests,
        ChatErrorCode.Overloaded or ChatErrorCode.ShuttingDown or ChatErrorCode.Unavailable => StatusCodes.Status503ServiceUnavailable,
        ChatErrorCode.ModelFailed => StatusCodes.Status502BadGateway,
        ChatErrorCode.ModelTimedOut => StatusCodes.Status504GatewayTimeout,
        ChatErrorCode.SessionReplaced or ChatErrorCode.SessionClosed => StatusCodes.Status410Gone,
        _ => StatusCodes.Status500InternalServerError,
    };

    private static ProblemHttpResult Problem(int status, string detail, string? code) => TypedResults.Problem(
        detail, statusCode: status, extensions: code is null ? null : [KeyValuePair.Create("code", (object?)code)]);

    [LoggerMessage(3101, LogLevel.Error, "A request failed.")]
    private static partial void RequestFailed(ILogger logger, Exception exception);

    [LoggerMessage(3102, LogLevel.Error, "The store failed on a request.")]
    private static partial void StoreFailed(ILogger logger, Exception exception);
}
