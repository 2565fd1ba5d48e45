using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace FastChat.Server.Auth.Http;

/// <summary>What endpoints ask of a request about its sender.</summary>
public static class HttpContextAuthExtensions
{
    /// <summary>The user whom the FastChat scheme identified; null for none.</summary>
    public static AuthenticatedUser? GetChatUser(this HttpContext context) => context.Features.Get<AuthenticatedUser>();

    /// <summary>The request as <see cref="IUserAuthenticator"/> takes it.</summary>
    public static CredentialRequest ToCredentialRequest(this HttpContext context)
    {
        var request = context.Request;
        return new CredentialRequest(name => Joined(request.Headers[name]), name => Joined(request.Query[name]));
    }

    /// <summary>
    /// Identifies the sender by a user id in the body (<c>POST /chat</c> of seed 003), for an endpoint that admits anonymous requests.
    /// Whom a token names already stays who it is.
    /// </summary>
    public static AuthResult IdentifyByUserId(this HttpContext context, IUserAuthenticator authenticator, string userId)
    {
        if (context.GetChatUser() is { } user)
            return user;
        var result = authenticator.IdentifyByUserId(context.ToCredentialRequest(), userId);
        if (result.User is not null)
            context.Features.Set(result.User);
        return result;
    }

    private static string? Joined(StringValues values) => values.Count == 0 ? null : string.Join(',', values.ToArray());
}
