using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FastChat.Server.Auth.Http;

/// <summary>ASP.NET Core's way to <see cref="IUserAuthenticator"/>: one scheme, whose refusals are problem details.</summary>
internal sealed class FastChatAuthenticationHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, IUserAuthenticator authenticator)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    private AuthFailure _failure = AuthFailure.NoCredentials;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var result = await authenticator.AuthenticateAsync(Context.ToCredentialRequest(), Context.RequestAborted);
        _failure = result.Failure;
        if (result.User is not { } user)
            return _failure is AuthFailure.NoCredentials ? AuthenticateResult.NoResult() : AuthenticateResult.Fail(_failure.Describe());
        Context.Features.Set(user);
        var identity = new ClaimsIdentity(Scheme.Name);
        identity.AddClaim(new Claim(ClaimTypes.NameIdentifier, user.Id));
        identity.AddClaim(new Claim(ClaimTypes.Name, user.Name));
        if (user.IsAdmin)
            identity.AddClaim(new Claim(ClaimTypes.Role, FastChatAuth.AdminRole));
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        await HandleAuthenticateOnceSafeAsync();
        await WriteChallengeAsync(Context, _failure);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        Problems.WriteAsync(Context, StatusCodes.Status403Forbidden, "This needs the admin role.");

    /// <summary>Answers a request that was not let in.</summary>
    internal static Task WriteChallengeAsync(HttpContext context, AuthFailure failure)
    {
        int status = failure.StatusCode();
        if (status == StatusCodes.Status401Unauthorized)
            context.Response.Headers.WWWAuthenticate = failure.Challenge();
        else
            context.Response.Headers.RetryAfter = "30";
        return Problems.WriteAsync(context, status, failure.Describe());
    }
}
