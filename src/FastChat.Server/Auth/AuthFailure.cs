namespace FastChat.Server.Auth;

/// <summary>Why a peer was not let in: one name for each rule.</summary>
public enum AuthFailure
{
    /// <summary>Nothing failed.</summary>
    None,

    /// <summary>No token and no user id was given.</summary>
    NoCredentials,

    /// <summary>The Authorization header is not <c>Bearer</c> with one token (RFC 6750 section 2.1).</summary>
    UnsupportedScheme,

    /// <summary>The token is longer than <see cref="AuthOptions.MaxTokenBytes"/>.</summary>
    Oversized,

    /// <summary>Not three base64url parts of which the first two are JSON objects (RFC 7515 section 3.1).</summary>
    Malformed,

    /// <summary>An encrypted token, of five parts (RFC 7516).</summary>
    Encrypted,

    /// <summary>A member occurs twice in the header or in the claims (RFC 7515 section 4, RFC 7519 section 4).</summary>
    DuplicateMember,

    /// <summary>The token is not signed: <c>alg</c> is <c>none</c> (RFC 8725 section 3.2).</summary>
    AlgorithmNone,

    /// <summary><c>alg</c> is none of HS256, RS256 and ES256.</summary>
    UnsupportedAlgorithm,

    /// <summary>The header names extensions that must be understood (RFC 7515 section 4.1.11).</summary>
    CriticalHeader,

    /// <summary><c>typ</c> says that this is another kind of token (RFC 8725 section 3.11).</summary>
    WrongType,

    /// <summary>No key of this <c>kid</c> and algorithm is known.</summary>
    UnknownKey,

    /// <summary>The keys could not be had from where they are published.</summary>
    KeysUnavailable,

    /// <summary>The signature does not fit.</summary>
    BadSignature,

    /// <summary><c>iss</c> is not who we trust.</summary>
    WrongIssuer,

    /// <summary><c>aud</c> is not us.</summary>
    WrongAudience,

    /// <summary>There is no <c>exp</c>.</summary>
    MissingExpiry,

    /// <summary><c>exp</c> has passed.</summary>
    Expired,

    /// <summary><c>nbf</c> has not come.</summary>
    NotYetValid,

    /// <summary>There is no <c>sub</c>.</summary>
    MissingSubject,

    /// <summary>A claim has the wrong type or an impossible value.</summary>
    InvalidClaims,

    /// <summary>A user id alone identifies nobody here (<see cref="AuthOptions.TrustUserId"/>).</summary>
    UserIdNotTrusted,

    /// <summary>The user id is too long or has control characters.</summary>
    InvalidUserId,
}

/// <summary>What is said of a failure, to the peer and in a challenge.</summary>
public static class AuthFailures
{
    /// <summary>One sentence for the peer. Says nothing that the peer did not send.</summary>
    public static string Describe(this AuthFailure failure) => failure switch
    {
        AuthFailure.None => "Authenticated.",
        AuthFailure.NoCredentials => "A token is needed: Authorization: Bearer, or ?token=.",
        AuthFailure.UnsupportedScheme => "The Authorization header must be Bearer with one token.",
        AuthFailure.Oversized => "The token is too long.",
        AuthFailure.Malformed => "The token is malformed.",
        AuthFailure.Encrypted => "Encrypted tokens are not accepted.",
        AuthFailure.DuplicateMember => "The token names a member twice.",
        AuthFailure.AlgorithmNone => "Unsigned tokens are not accepted.",
        AuthFailure.UnsupportedAlgorithm => "The token must be signed with HS256, RS256 or ES256.",
        AuthFailure.CriticalHeader => "The token needs an extension that is not supported.",
        AuthFailure.WrongType => "The token is of another kind.",
        AuthFailure.UnknownKey => "The token is signed with an unknown key.",
        AuthFailure.KeysUnavailable => "The token cannot be checked now: its keys are out of reach.",
        AuthFailure.BadSignature => "The token's signature is wrong.",
        AuthFailure.WrongIssuer => "The token is from another issuer.",
        AuthFailure.WrongAudience => "The token is for another audience.",
        AuthFailure.MissingExpiry => "The token does not say when it expires.",
        AuthFailure.Expired => "The token has expired.",
        AuthFailure.NotYetValid => "The token is not valid yet.",
        AuthFailure.MissingSubject => "The token names no subject.",
        AuthFailure.InvalidClaims => "The token has an invalid claim.",
        AuthFailure.UserIdNotTrusted => "A user id alone identifies nobody here: a token is needed.",
        AuthFailure.InvalidUserId => "The user id is invalid.",
        _ => "Not authenticated.",
    };

    /// <summary>The HTTP status that answers a request that failed so: 401, or 503 where the fault is not the peer's.</summary>
    public static int StatusCode(this AuthFailure failure) => failure is AuthFailure.KeysUnavailable ? 503 : 401;

    /// <summary>The value of WWW-Authenticate (RFC 6750 section 3): no error code where no credentials were given.</summary>
    public static string Challenge(this AuthFailure failure) => failure switch
    {
        AuthFailure.None or AuthFailure.NoCredentials or AuthFailure.UserIdNotTrusted or AuthFailure.KeysUnavailable =>
            "Bearer realm=\"fastchat\"",
        AuthFailure.UnsupportedScheme or AuthFailure.InvalidUserId =>
            $"Bearer realm=\"fastchat\", error=\"invalid_request\", error_description=\"{failure.Describe()}\"",
        _ => $"Bearer realm=\"fastchat\", error=\"invalid_token\", error_description=\"{failure.Describe()}\"",
    };
}
