using System.Text.Json;

namespace FastChat.Server.Auth.Tokens;

/// <summary>The claims of a token (RFC 7519 section 4.1) that matter here, of the right types but not verified.</summary>
internal sealed record TokenClaims
{
    private const double LatestNumericDate = 253402300799; // 9999-12-31T23:59:59Z

    /// <summary>All claims.</summary>
    public required JsonElement Json { get; init; }

    /// <summary><c>sub</c>; null where absent or empty.</summary>
    public string? Subject { get; init; }

    /// <summary><c>name</c>, where it is fit to be shown; null otherwise.</summary>
    public string? Name { get; init; }

    /// <summary><c>exp</c>.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary><c>nbf</c>.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>True when the token names an audience.</summary>
    public bool HasAudience { get; init; }

    /// <summary>Reads claims. False when one has the wrong type or an impossible value.</summary>
    public static bool TryRead(JsonElement json, out TokenClaims? claims)
    {
        claims = null;
        if (!TryText(json, "iss", out _) || !TryText(json, "sub", out string? subject) || !TryAudience(json, out bool hasAudience)
            || !TryDate(json, "exp", out var expires) || !TryDate(json, "nbf", out var notBefore) || !TryDate(json, "iat", out _))
            return false;
        if (subject is { Length: > 0 } && !AuthenticatedUser.IsValidId(subject))
            return false;
        // A name is for show: one that is unfit is as good as none.
        string? name = TryText(json, "name", out string? given) && given is not null && AuthenticatedUser.IsValidId(given) ? given : null;
        claims = new TokenClaims
        {
            Json = json,
            Subject = subject is { Length: > 0 } ? subject : null,
            Name = name,
            ExpiresAt = expires,
            NotBefore = notBefore,
            HasAudience = hasAudience,
        };
        return true;
    }

    /// <summary>True when the claim is this value, or a list that holds it.</summary>
    public bool Has(string claim, string value)
    {
        if (!Json.TryGetProperty(claim, out var held))
            return false;
        return held.ValueKind == JsonValueKind.Array
            ? held.EnumerateArray().Any(one => one.ValueKind == JsonValueKind.String && one.ValueEquals(value))
            : held.ValueKind == JsonValueKind.String && held.ValueEquals(value);
    }

    private static bool TryText(JsonElement json, string name, out string? text)
    {
        text = null;
        if (!json.TryGetProperty(name, out var value))
            return true;
        if (value.ValueKind != JsonValueKind.String)
            return false;
        try
        {
            text = value.GetString();
            return true;
        }
        catch (InvalidOperationException)
        {
            return false; // A lone surrogate, escaped.
        }
    }

    private static bool TryAudience(JsonElement json, out bool present)
    {
        present = json.TryGetProperty("aud", out var audience);
        return !present || audience.ValueKind == JsonValueKind.String
            || (audience.ValueKind == JsonValueKind.Array && audience.EnumerateArray().All(one => one.ValueKind == JsonValueKind.String));
    }

    private static bool TryDate(JsonElement json, string name, out DateTimeOffset? date)
    {
        date = null;
        if (!json.TryGetProperty(name, out var value))
            return true;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out double seconds) || seconds is not (>= 0 and <= LatestNumericDate))
            return false;
        date = DateTimeOffset.UnixEpoch.AddSeconds(seconds);
        return true;
    }
}
