using FastChat.Chat;
using FastChat.Server.Auth;
using FastChat.Server.Auth.Http;
using FastChat.Server.Hosting;
using FastChat.Storage;

namespace FastChat.Server.Endpoints;

/// <summary>
/// Looks up the stored user of whoever was identified, before the handler runs. A <c>user_id</c> in the query (seed 003) must be that
/// user's own: nobody else is there for them.
/// </summary>
internal sealed class CallerFilter(ChatUsers users) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (http.GetChatUser() is { } user)
        {
            if (http.Request.Query["user_id"] is [var claimed, ..] && claimed != user.Id)
                throw new ChatException(ChatErrorCode.NotFound, "User not found.");
            http.SetCaller(user, await users.GetOrAddAsync(user, http.RequestAborted));
        }
        return await next(context);
    }
}

/// <summary>Who calls.</summary>
/// <param name="Identity">As identified.</param>
/// <param name="Record">As stored.</param>
internal sealed record Caller(AuthenticatedUser Identity, UserRecord Record)
{
    public string Id => Record.Id;
}

/// <summary>The caller of a request.</summary>
internal static class CallerExtensions
{
    /// <summary>The caller; only behind <see cref="CallerFilter"/>.</summary>
    public static Caller Caller(this HttpContext http) =>
        http.Features.Get<Caller>() ?? throw new ChatException(ChatErrorCode.Unauthorized, AuthFailure.NoCredentials.Describe());

    public static void SetCaller(this HttpContext http, AuthenticatedUser identity, UserRecord record) =>
        http.Features.Set(new Caller(identity, record));
}
