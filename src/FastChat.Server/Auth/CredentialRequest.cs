namespace FastChat.Server.Auth;

/// <summary>
/// What a request says of its sender, whoever parsed it: the raw upgrade path and ASP.NET Core both fit. The functions are called only
/// while the authenticator runs.
/// </summary>
/// <param name="Header">Value of a header by its name (ignoring case); several joined by a comma; null where absent.</param>
/// <param name="Query">Decoded value of a query parameter; several joined by a comma; null where absent.</param>
public readonly record struct CredentialRequest(Func<string, string?> Header, Func<string, string?> Query);

/// <summary>Identifies whoever sent a request. Any thread may ask at any time.</summary>
public interface IUserAuthenticator
{
    /// <summary>
    /// Identifies by the token, <c>Authorization: Bearer</c> before <c>?token=</c>, or where there is none by <c>X-User-ID</c> or
    /// <c>?user_id=</c> if these are trusted. A token that fails is never made up for by a user id.
    /// </summary>
    ValueTask<AuthResult> AuthenticateAsync(CredentialRequest request, CancellationToken cancellationToken = default);

    /// <summary>Identifies by a user id found in a body, under the same rules as <c>X-User-ID</c>; for requests without a token.</summary>
    AuthResult IdentifyByUserId(CredentialRequest request, string userId);
}
