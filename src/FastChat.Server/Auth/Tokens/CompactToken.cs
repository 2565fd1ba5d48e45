using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;

namespace FastChat.Server.Auth.Tokens;

/// <summary>
/// A signed token in compact form (RFC 7515 section 3.1), taken apart but not verified. Everything that can be refused without a key is
/// refused here, before the token library sees it: the library is then asked about small, plain, unambiguous tokens only.
/// </summary>
internal sealed record CompactToken
{
    private const int MaxKeyIdLength = 256;
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 8, AllowDuplicateProperties = false };
    private static readonly JsonDocumentOptions Lenient = new() { MaxDepth = 8 };
    private static readonly SearchValues<char> TokenChars =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    /// <summary>The token as it came.</summary>
    public required string Raw { get; init; }

    /// <summary>HS256, RS256 or ES256.</summary>
    public required string Algorithm { get; init; }

    /// <summary>The key's id; null where the header has none.</summary>
    public required string? KeyId { get; init; }

    /// <summary>The claims.</summary>
    public required TokenClaims Claims { get; init; }

    /// <summary>Takes a token apart.</summary>
    /// <returns><see cref="AuthFailure.None"/>, or the first rule that it breaks.</returns>
    public static AuthFailure TryRead(string raw, int maxLength, out CompactToken? token)
    {
        token = null;
        if (raw.Length > maxLength)
            return AuthFailure.Oversized;
        if (raw.AsSpan().ContainsAnyExcept(TokenChars))
            return AuthFailure.Malformed;
        Span<Range> parts = stackalloc Range[6];
        int count = raw.AsSpan().Split(parts, '.');
        if (count == 5)
            return AuthFailure.Encrypted;
        if (count != 3)
            return AuthFailure.Malformed;
        var failure = ReadObject(raw.AsSpan()[parts[0]], out var header);
        if (failure is not AuthFailure.None)
            return failure;
        failure = CheckHeader(header, out string algorithm, out string? keyId);
        if (failure is not AuthFailure.None)
            return failure;
        failure = ReadObject(raw.AsSpan()[parts[1]], out var json);
        if (failure is not AuthFailure.None)
            return failure;
        if (!TokenClaims.TryRead(json, out var claims))
            return AuthFailure.InvalidClaims;
        token = new CompactToken { Raw = raw, Algorithm = algorithm, KeyId = keyId, Claims = claims! };
        return AuthFailure.None;
    }

    private static AuthFailure CheckHeader(JsonElement header, out string algorithm, out string? keyId)
    {
        keyId = null;
        algorithm = header.TryGetProperty("alg", out var alg) && alg.ValueKind == JsonValueKind.String ? alg.GetString()! : "";
        if (algorithm.Length == 0)
            return AuthFailure.Malformed;
        if (algorithm.Equals("none", StringComparison.OrdinalIgnoreCase))
            return AuthFailure.AlgorithmNone;
        // Names are case-sensitive (RFC 7515 section 4.1.1).
        if (algorithm is not ("HS256" or "RS256" or "ES256"))
            return AuthFailure.UnsupportedAlgorithm;
        // RFC 7515 section 4.1.11: what is critical must be understood, and we understand no extension.
        if (header.TryGetProperty("crit", out _))
            return AuthFailure.CriticalHeader;
        if (header.TryGetProperty("typ", out var typ) && !IsOurType(typ))
            return AuthFailure.WrongType;
        if (!header.TryGetProperty("kid", out var kid))
            return AuthFailure.None;
        if (kid.ValueKind != JsonValueKind.String || kid.GetString() is not { Length: > 0 and <= MaxKeyIdLength } id)
            return AuthFailure.Malformed;
        keyId = id;
        return AuthFailure.None;
    }

    // RFC 7519 section 5.1 and RFC 9068 section 2.1; "application/" may be left out (RFC 7515 section 4.1.9).
    private static bool IsOurType(JsonElement typ)
    {
        if (typ.ValueKind != JsonValueKind.String)
            return false;
        string type = typ.GetString()!;
        const string Prefix = "application/";
        if (type.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            type = type[Prefix.Length..];
        return type.Equals("JWT", StringComparison.OrdinalIgnoreCase) || type.Equals("at+jwt", StringComparison.OrdinalIgnoreCase);
    }

    private static AuthFailure ReadObject(ReadOnlySpan<char> part, out JsonElement json)
    {
        json = default;
        byte[] utf8;
        try
        {
            utf8 = Base64Url.DecodeFromChars(part);
        }
        catch (FormatException)
        {
            return AuthFailure.Malformed;
        }
        if (!TryParse(utf8, Strict, out json))
            return TryParse(utf8, Lenient, out json) ? AuthFailure.DuplicateMember : AuthFailure.Malformed;
        return json.ValueKind == JsonValueKind.Object ? AuthFailure.None : AuthFailure.Malformed;
    }

    private static bool TryParse(byte[] utf8, JsonDocumentOptions options, out JsonElement json)
    {
        try
        {
            json = JsonElement.Parse(utf8, options);
            return true;
        }
        catch (JsonException)
        {
            json = default;
            return false;
        }
    }
}
