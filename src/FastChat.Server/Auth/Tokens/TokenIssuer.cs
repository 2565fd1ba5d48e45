using System.Text.Json.Nodes;
using FastChat.Server.Auth.Keys;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace FastChat.Server.Auth.Tokens;

/// <summary>Signs tokens for this server with its own key.</summary>
internal sealed class TokenIssuer(SigningKeyFile keys, AuthOptions options, TimeProvider time)
{
    private readonly JsonWebTokenHandler _handler = new() { SetDefaultTimesOnTokenCreation = false };

    /// <summary>Makes a token. Its key is made where there is none, and replaced where it is old.</summary>
    /// <param name="userId">Becomes <c>sub</c>.</param>
    /// <param name="name">Becomes <c>name</c>.</param>
    /// <param name="lifetime">From now; more than zero, at most <see cref="SigningKeyFile.MaxTokenLifetime"/>.</param>
    /// <param name="admin">Whether the token carries the admin role.</param>
    /// <param name="cancellationToken">Gives up waiting for the key file.</param>
    public async Task<string> IssueAsync(
        string userId, string name, TimeSpan lifetime, bool admin = false, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lifetime, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lifetime, SigningKeyFile.MaxTokenLifetime);
        var key = await keys.GetCurrentAsync(cancellationToken);
        var now = time.GetUtcNow();
        var claims = new JsonObject
        {
            ["iss"] = SigningKeyFile.Scope.Issuer,
            ["aud"] = SigningKeyFile.Scope.Audience,
            ["sub"] = userId,
            ["name"] = name,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = (now + lifetime).ToUnixTimeSeconds(),
        };
        if (admin)
            claims[options.AdminClaim] = options.AdminRole;
        var secret = new SymmetricSecurityKey(key.Secret) { KeyId = key.KeyId };
        return _handler.CreateToken(claims.ToJsonString(), new SigningCredentials(secret, SecurityAlgorithms.HmacSha256));
    }
}
