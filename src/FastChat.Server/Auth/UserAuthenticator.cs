using FastChat.Server.Auth.Tokens;
using Microsoft.Extensions.Logging;

namespace FastChat.Server.Auth;

/// <summary>Finds the credentials of a request and checks them.</summary>
internal sealed class UserAuthenticator(TokenValidator tokens, UserIdTrust trust, ILogger logger) : IUserAuthenticator
{
    private const string Scheme = "Bearer";

    public async ValueTask<AuthResult> AuthenticateAsync(CredentialRequest request, CancellationToken cancellationToken = default)
    {
        var result = await IdentifyAsync(request, cancellationToken);
        if (result.Failure is not AuthFailure.None)
            AuthLog.Refused(logger, result.Failure);
        return result;
    }

    public AuthResult IdentifyByUserId(CredentialRequest request, string userId)
    {
        if (trust is UserIdTrust.Never || (trust is UserIdTrust.LocalOnly && !UserIdTrusts.IsLocal(request)))
            return AuthFailure.UserIdNotTrusted;
        return AuthenticatedUser.IsValidId(userId) ? new AuthenticatedUser(userId, userId) : AuthFailure.InvalidUserId;
    }

    private ValueTask<AuthResult> IdentifyAsync(CredentialRequest request, CancellationToken cancellationToken)
    {
        if (request.Header("Authorization") is { } authorization)
            return TryReadBearer(authorization, out string bearer)
                ? tokens.ValidateAsync(bearer, cancellationToken)
                : new(AuthFailure.UnsupportedScheme);
        if (request.Query("token") is { Length: > 0 } token)
            return tokens.ValidateAsync(token, cancellationToken);
        return new(IdentifyByUserId(request));
    }

    private AuthResult IdentifyByUserId(CredentialRequest request)
    {
        string? header = request.Header("X-User-ID");
        string? query = request.Query("user_id");
        if ((header ?? query) is not { } userId)
            return AuthFailure.NoCredentials;
        return header is not null && query is not null && header != query ? AuthFailure.InvalidUserId : IdentifyByUserId(request, userId);
    }

    // RFC 9110 section 11.1: the scheme's case does not matter; RFC 6750 section 2.1: one token follows.
    private static bool TryReadBearer(string authorization, out string token)
    {
        token = "";
        if (!authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) || authorization.Length <= Scheme.Length
            || authorization[Scheme.Length] != ' ')
            return false;
        token = authorization[Scheme.Length..].Trim(' ');
        return token.Length > 0 && !token.Contains(' ') && !token.Contains(',');
    }
}
