using System.Globalization;
using FastChat.Server.Auth.Http;
using Microsoft.AspNetCore.Http;

namespace FastChat.Server.Auth.RateLimits;

/// <summary>
/// Counts the request of an identified user before its handler runs: <c>group.AddEndpointFilter&lt;RateLimitFilter&gt;()</c>. A filter
/// and not middleware, so that <c>MapFastChat</c> brings it along into any application. A handler that identifies by its body asks
/// <see cref="TryTake"/> itself.
/// </summary>
internal sealed class RateLimitFilter(UserRateLimiter limiter) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (http.GetChatUser() is { } user && TryTake(http, limiter, user.Id) is { } refusal)
            return refusal;
        return await next(context);
    }

    /// <summary>Counts a request and sets the RateLimit headers. Returns null, or the 429 to answer with.</summary>
    public static IResult? TryTake(HttpContext context, UserRateLimiter limiter, string userId)
    {
        var decision = limiter.Check(userId);
        var headers = context.Response.Headers;
        headers["RateLimit-Limit"] = Text(decision.Limit);
        headers["RateLimit-Remaining"] = Text(decision.Remaining);
        headers["RateLimit-Reset"] = Text(decision.ResetSeconds);
        if (decision.Allowed)
            return null;
        headers.RetryAfter = Text(decision.RetryAfterSeconds);
        return TypedResults.Problem(decision.Describe(), statusCode: StatusCodes.Status429TooManyRequests);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
