using System.Net;

namespace FastChat.Server.Auth;

/// <summary>Whether a user id alone identifies.</summary>
internal enum UserIdTrust
{
    /// <summary>It identifies nobody.</summary>
    Never,

    /// <summary>It does for requests that come straight from this machine: the default on loopback.</summary>
    LocalOnly,

    /// <summary>It does for every request: somebody said so in as many words.</summary>
    Always,
}

/// <summary>The rules about trusting user ids.</summary>
internal static class UserIdTrusts
{
    private static readonly string[] ProxyHeaders = ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"];

    /// <summary>Decides for a server that listens on a host.</summary>
    /// <param name="setting"><see cref="AuthOptions.TrustUserId"/>.</param>
    /// <param name="host">Where the server listens.</param>
    /// <param name="insecure">Whether <c>--insecure-trust-user-id</c> was given.</param>
    /// <param name="trust">The decision.</param>
    /// <returns>Null, or one sentence that says why the server must not start.</returns>
    public static string? Decide(bool? setting, string host, bool insecure, out UserIdTrust trust)
    {
        trust = UserIdTrust.Never;
        if (insecure && setting is false)
            return "Auth:TrustUserId is false, yet --insecure-trust-user-id is given: take one of them back.";
        if (setting is true && !insecure && !IsLoopback(host))
            return $"Auth:TrustUserId is on, but {host} is not a loopback address: anybody could be any user. "
                + "Turn it off, listen on 127.0.0.1, or give --insecure-trust-user-id.";
        if (insecure || setting is true)
            trust = UserIdTrust.Always;
        else if (setting is null && IsLoopback(host))
            trust = UserIdTrust.LocalOnly;
        return null;
    }

    /// <summary>True for a host that only this machine reaches. A name other than localhost may be any machine's.</summary>
    public static bool IsLoopback(string host)
    {
        host = host.Trim('[', ']');
        return host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
    }

    /// <summary>
    /// True for a request that comes straight from a program or page of this machine. A loopback socket alone does not say so: a reverse
    /// proxy forwards strangers, and any web page may make the user's own browser connect (cross-site requests, DNS rebinding).
    /// </summary>
    public static bool IsLocal(CredentialRequest request)
    {
        if (ProxyHeaders.Any(name => request.Header(name) is not null))
            return false;
        if (request.Header("Host") is { } host && !IsLoopbackAuthority(host))
            return false;
        if (request.Header("Origin") is { } origin)
            return Uri.TryCreate(origin, UriKind.Absolute, out var from) && IsLoopback(from.Host);
        // Browsers send no Origin with a simple GET; this header they always send.
        return request.Header("Sec-Fetch-Site") is not ("cross-site" or "same-site");
    }

    private static bool IsLoopbackAuthority(string authority) =>
        Uri.TryCreate($"http://{authority}", UriKind.Absolute, out var uri) && uri.UserInfo.Length == 0 && IsLoopback(uri.Host);
}
