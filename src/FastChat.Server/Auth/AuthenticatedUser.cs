namespace FastChat.Server.Auth;

/// <summary>Somebody who has been identified.</summary>
/// <param name="Id">The token's <c>sub</c>, or the trusted user id.</param>
/// <param name="Name">The token's <c>name</c>; the id where there is none.</param>
public sealed record AuthenticatedUser(string Id, string Name)
{
    /// <summary>The longest id, in UTF-16 units.</summary>
    public const int MaxIdLength = 255;

    /// <summary>True when the token carries the admin role. Never true for a trusted user id.</summary>
    public bool IsAdmin { get; init; }

    /// <summary>When the identification ends (UTC), the allowed clock skew included: a socket should not outlive it. Null for a trusted user id.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>True for an id that can be a user's: 1 to <see cref="MaxIdLength"/> characters, none of them a control character.</summary>
    internal static bool IsValidId(string id) => id.Length is > 0 and <= MaxIdLength && !id.Any(char.IsControl);
}

/// <summary>A user, or why there is none.</summary>
public readonly record struct AuthResult
{
    private AuthResult(AuthenticatedUser? user, AuthFailure failure) => (User, Failure) = (user, failure);

    /// <summary>Who it is; null when <see cref="Failure"/> says why not.</summary>
    public AuthenticatedUser? User { get; }

    /// <summary>Why nobody was identified; <see cref="AuthFailure.None"/> when somebody was.</summary>
    public AuthFailure Failure { get; }

    /// <summary>Identified as this user.</summary>
    public static implicit operator AuthResult(AuthenticatedUser user) => new(user, AuthFailure.None);

    /// <summary>Not identified.</summary>
    public static implicit operator AuthResult(AuthFailure failure) => new(null, failure);
}
