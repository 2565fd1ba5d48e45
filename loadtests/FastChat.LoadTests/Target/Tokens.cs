using System.Buffers.Text;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using FastChat.LoadTests.Load;
using FastChat.LoadTests.Wire;

namespace FastChat.LoadTests.Target;

/// <summary>Signs users in.</summary>
internal interface ITokens
{
    /// <summary>How many users there can be.</summary>
    int MostUsers { get; }

    Task<string> GetAsync(string user, CancellationToken cancellationToken);
}

/// <summary>Signs tokens with the secret that the server verifies them with (<c>Auth:Secret</c>): HS256 (RFC 7518 section 3.2).</summary>
internal sealed class SecretTokens(string secret, TimeProvider time) : ITokens
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(2);

    public int MostUsers => int.MaxValue;

    public Task<string> GetAsync(string user, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        byte[] claims = JsonSerializer.SerializeToUtf8Bytes(new Claims(user, user, now.ToUnixTimeSeconds(), (now + Lifetime).ToUnixTimeSeconds()), ClaimsJson.Default.Claims);
        string signed = $"{Base64Url.EncodeToString("""{"alg":"HS256","typ":"JWT"}"""u8)}.{Base64Url.EncodeToString(claims)}";
        byte[] signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.ASCII.GetBytes(signed));
        return Task.FromResult($"{signed}.{Base64Url.EncodeToString(signature)}");
    }
}

internal sealed record Claims(string Sub, string Name, long Iat, long Exp);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Claims))]
internal sealed partial class ClaimsJson : JsonSerializerContext;

/// <summary>Asks the server for development tokens, which it gives on loopback.</summary>
internal sealed class DevTokens(HttpClient http) : ITokens
{
    public int MostUsers => int.MaxValue;

    public async Task<string> GetAsync(string user, CancellationToken cancellationToken)
    {
        using var response = await http.PostAsJsonAsync(new Uri("auth/dev-token", UriKind.Relative), new TokenOut(user), WireJson.Default.TokenOut, cancellationToken);
        if (!response.IsSuccessStatusCode)
            throw new LoadException($"The server gives no development tokens ({(int)response.StatusCode}): give --secret (its Auth:Secret), or --token for one user.");
        return (await response.Content.ReadFromJsonAsync(WireJson.Default.TokenIn, cancellationToken))!.Token;
    }
}

/// <summary>The one token that was given.</summary>
internal sealed class GivenToken(string token) : ITokens
{
    public int MostUsers => 1;

    public Task<string> GetAsync(string user, CancellationToken cancellationToken) => Task.FromResult(token);
}
