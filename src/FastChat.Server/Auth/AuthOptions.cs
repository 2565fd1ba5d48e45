using FastChat.Server.Configuration;

namespace FastChat.Server.Auth;

/// <summary>
/// Who is let in (section <c>Auth</c>). Tokens made by <c>fastchat token</c> are accepted always: their key lives in the data directory.
/// The keys named here are those of another issuer.
/// </summary>
public sealed class AuthOptions
{
    /// <summary>A secret shared with the issuer of HS256 tokens, at least 32 bytes of UTF-8 (RFC 7518 section 3.2). Null for none.</summary>
    public string? Secret { get; set; }

    /// <summary>PEM files with public keys or certificates: RSA for RS256, P-256 for ES256. Read again when they change.</summary>
    public IReadOnlyList<string> KeyFiles { get; set; } = [];

    /// <summary>A JSON Web Key Set in a file (RFC 7517), read again when it changes. Null for none.</summary>
    public string? JwksFile { get; set; }

    /// <summary>A JSON Web Key Set at an https address (http on loopback only). Null for none.</summary>
    public Uri? JwksUrl { get; set; }

    /// <summary>How long keys from <see cref="JwksUrl"/> are used before they are fetched again.</summary>
    public TimeSpan JwksRefresh { get; set; } = TimeSpan.FromHours(1);

    /// <summary>The least time between two fetches of <see cref="JwksUrl"/>, however many unknown key ids arrive.</summary>
    public TimeSpan JwksMinimumInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Who must have issued tokens signed with these keys (<c>iss</c>). Null leaves it unchecked.</summary>
    public string? Issuer { get; set; }

    /// <summary>For whom these tokens must be (<c>aud</c>). Null refuses tokens that name an audience (RFC 7519 section 4.1.3).</summary>
    public string? Audience { get; set; }

    /// <summary>How far the issuer's clock may differ from ours.</summary>
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest token, in bytes.</summary>
    public int MaxTokenBytes { get; set; } = 8 * 1024;

    /// <summary>The claim that holds a user's roles: a string or a list of strings.</summary>
    public string AdminClaim { get; set; } = "role";

    /// <summary>The role that makes an admin.</summary>
    public string AdminRole { get; set; } = "admin";

    /// <summary>
    /// Whether <c>X-User-ID</c> or <c>user_id</c> alone identifies. Null: only while the server listens on loopback, and then only for
    /// requests that come straight from this machine. True: for every request, whoever sends it.
    /// </summary>
    public bool? TrustUserId { get; set; }

    /// <summary>How long a signing key of our own is used for new tokens. Tokens signed with older ones stay valid.</summary>
    public TimeSpan SigningKeyLifetime { get; set; } = TimeSpan.FromDays(90);

    /// <summary>Reads the section <c>Auth</c>; what cannot be read is noted in the reader.</summary>
    internal static AuthOptions Read(SettingsReader settings)
    {
        var auth = settings.Section("Auth");
        var options = new AuthOptions();
        options.Secret = auth.Text(nameof(Secret));
        options.KeyFiles = auth.TextList(nameof(KeyFiles));
        options.JwksFile = auth.Text(nameof(JwksFile));
        options.JwksUrl = auth.Address(nameof(JwksUrl));
        options.JwksRefresh = auth.Duration(nameof(JwksRefresh), options.JwksRefresh);
        options.JwksMinimumInterval = auth.Duration(nameof(JwksMinimumInterval), options.JwksMinimumInterval);
        options.Issuer = auth.Text(nameof(Issuer));
        options.Audience = auth.Text(nameof(Audience));
        options.ClockSkew = auth.Duration(nameof(ClockSkew), options.ClockSkew);
        options.MaxTokenBytes = auth.Number(nameof(MaxTokenBytes), options.MaxTokenBytes);
        options.AdminClaim = auth.Text(nameof(AdminClaim)) ?? options.AdminClaim;
        options.AdminRole = auth.Text(nameof(AdminRole)) ?? options.AdminRole;
        options.TrustUserId = auth.Flag(nameof(TrustUserId));
        options.SigningKeyLifetime = auth.Duration(nameof(SigningKeyLifetime), options.SigningKeyLifetime);
        auth.RefuseUnknown();
        return options;
    }

    /// <summary>Says what is wrong with these values: one sentence for each mistake, none when all is well. Holds no secret.</summary>
    public IEnumerable<string> Validate()
    {
        if (Secret is not null && Secret.Contains("-----BEGIN", StringComparison.Ordinal))
            yield return "Auth:Secret holds a PEM key: a public key is no secret. Put it in a file and name that in Auth:KeyFiles.";
        else if (Secret is not null && System.Text.Encoding.UTF8.GetByteCount(Secret) < 32)
            yield return "Auth:Secret is too short for HS256: it needs at least 32 bytes.";
        if (JwksUrl is not null && !IsSafe(JwksUrl))
            yield return "Auth:JwksUrl must be an https address (http is accepted on loopback only).";
        if ((JwksUrl is not null || JwksFile is not null) && (Issuer is null || Audience is null))
            yield return "Auth:JwksUrl and Auth:JwksFile need Auth:Issuer and Auth:Audience: the same keys may sign tokens for others.";
        foreach (string mistake in Ranges())
            yield return mistake;
        if (AdminClaim.Length == 0 || AdminRole.Length == 0)
            yield return "Auth:AdminClaim and Auth:AdminRole must not be empty.";
    }

    private IEnumerable<string> Ranges()
    {
        if (JwksMinimumInterval < TimeSpan.FromSeconds(1) || JwksMinimumInterval > TimeSpan.FromHours(1))
            yield return "Auth:JwksMinimumInterval must be between 1s and 1h.";
        if (JwksRefresh < JwksMinimumInterval || JwksRefresh > TimeSpan.FromDays(1))
            yield return "Auth:JwksRefresh must be between Auth:JwksMinimumInterval and 1d.";
        if (ClockSkew < TimeSpan.Zero || ClockSkew > TimeSpan.FromMinutes(5))
            yield return "Auth:ClockSkew must be between 0s and 5m.";
        if (MaxTokenBytes is < 256 or > 64 * 1024)
            yield return "Auth:MaxTokenBytes must be between 256 and 65536.";
        if (SigningKeyLifetime < TimeSpan.FromHours(1) || SigningKeyLifetime > TimeSpan.FromDays(3660))
            yield return "Auth:SigningKeyLifetime must be between 1h and 3660d.";
    }

    private static bool IsSafe(Uri url) =>
        url.IsAbsoluteUri && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback));
}
