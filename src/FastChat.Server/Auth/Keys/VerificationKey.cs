using Microsoft.IdentityModel.Tokens;

namespace FastChat.Server.Auth.Keys;

/// <summary>
/// A key bound to the one algorithm that it may verify: a public RSA key can then never serve as an HMAC secret (RFC 8725 section 3.1).
/// </summary>
/// <param name="Algorithm">HS256, RS256 or ES256.</param>
/// <param name="KeyId">Its <c>kid</c>; null for a key without, which fits every token of its algorithm.</param>
/// <param name="Key">The key as the token library takes it.</param>
internal sealed record VerificationKey(string Algorithm, string? KeyId, SecurityKey Key)
{
    public bool Fits(string algorithm, string? keyId) =>
        algorithm == Algorithm && (keyId is null || KeyId is null || keyId == KeyId);
}

/// <summary>What tokens signed with the keys of one source must say.</summary>
/// <param name="Issuer">Their <c>iss</c>; null leaves it unchecked.</param>
/// <param name="Audience">One of their <c>aud</c>; null refuses tokens that name any.</param>
internal sealed record TokenScope(string? Issuer, string? Audience);
