using FastChat.Server.Auth;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastChat.Server.Tests.Auth;

public sealed class UserAuthenticatorTests : IDisposable
{
    private readonly AuthFixture _auth = new();

    public void Dispose() => _auth.Dispose();

    /// <summary>A request: "Name: value" is a header, "name=value" a query parameter.</summary>
    internal static CredentialRequest Request(params string[] parts)
    {
        string? Find(char separator, string name) => parts
            .Select(part => part.Split(separator, 2))
            .Where(pair => pair.Length == 2 && pair[0].Equals(name, StringComparison.OrdinalIgnoreCase))
            .Select(pair => pair[1].Trim()).LastOrDefault();
        return new(name => Find(':', name), name => Find('=', name));
    }

    private async Task<AuthResult> AskAsync(UserIdTrust trust, params string[] parts) =>
        await new UserAuthenticator(await _auth.OpenAsync(), trust, NullLogger.Instance)
            .AuthenticateAsync(Request(parts)).AsTask().WaitAsync(Hosting.TestServer.Patience);

    private string Token(string sub = "u1") => Forge.Hs256(AuthFixture.SecretBytes, _auth.Claims().Replace("u1", sub));

    [Theory]
    [InlineData("Authorization: Bearer {0}")]
    [InlineData("authorization: bearer {0}")]
    [InlineData("Authorization: BEARER   {0}")]
    [InlineData("token={0}")]
    public async Task A_token_is_found_in_the_header_or_the_query(string form) =>
        Assert.Equal("u1", (await AskAsync(UserIdTrust.Never, form.Replace("{0}", Token()))).User?.Id);

    [Theory]
    [InlineData("Authorization: Basic dTpw")]
    [InlineData("Authorization: Bearer")]
    [InlineData("Authorization: Bearer ")]
    [InlineData("Authorization: Bearerx y")]
    [InlineData("Authorization: Bearer a b")]
    [InlineData("Authorization: Bearer a.b.c,Bearer d.e.f")]
    public async Task Other_authorizations_are_refused_even_beside_a_good_query(string header) =>
        Assert.Equal(AuthFailure.UnsupportedScheme, (await AskAsync(UserIdTrust.Always, header, $"token={Token()}", "user_id=u")).Failure);

    [Fact]
    public async Task The_header_comes_before_the_query_and_a_bad_token_is_not_made_up_for()
    {
        Assert.Equal("h", (await AskAsync(UserIdTrust.Always, $"Authorization: Bearer {Token("h")}", $"token={Token("q")}")).User?.Id);
        Assert.Equal(AuthFailure.Malformed, (await AskAsync(UserIdTrust.Always, "token=x", "X-User-ID: ada")).Failure);
        Assert.Equal("u1", (await AskAsync(UserIdTrust.Always, $"token={Token()}", "X-User-ID: ada")).User?.Id);
    }

    [Fact]
    public async Task Nothing_is_nobody() =>
        Assert.Equal(AuthFailure.NoCredentials, (await AskAsync(UserIdTrust.Always)).Failure);

    [Fact]
    public async Task A_user_id_identifies_only_where_it_is_trusted()
    {
        Assert.Equal(AuthFailure.UserIdNotTrusted, (await AskAsync(UserIdTrust.Never, "X-User-ID: ada")).Failure);
        Assert.Equal(AuthFailure.UserIdNotTrusted, (await AskAsync(UserIdTrust.Never, "user_id=ada")).Failure);
        Assert.Equal(new AuthenticatedUser("ada", "ada"), (await AskAsync(UserIdTrust.Always, "X-User-ID: ada", "Via: proxy")).User);
        Assert.Equal("ada", (await AskAsync(UserIdTrust.LocalOnly, "user_id=ada", "Host: 127.0.0.1:8000")).User?.Id);
        Assert.Equal("ada", (await AskAsync(UserIdTrust.LocalOnly, "user_id=ada", "X-User-ID: ada")).User?.Id);
        Assert.Equal(AuthFailure.InvalidUserId, (await AskAsync(UserIdTrust.LocalOnly, "user_id=ada", "X-User-ID: bob")).Failure);
        Assert.Equal(AuthFailure.InvalidUserId, (await AskAsync(UserIdTrust.LocalOnly, "user_id=")).Failure);
        Assert.Equal(AuthFailure.InvalidUserId, (await AskAsync(UserIdTrust.LocalOnly, "user_id=a\tb")).Failure);
    }

    [Theory]
    [InlineData(true, "Host: localhost:8000")]
    [InlineData(true, "Host: [::1]:8000")]
    [InlineData(true, "Host: localhost:8000", "Origin: http://localhost:3000")]
    [InlineData(true, "Host: localhost:8000", "Origin: http://127.0.0.1:3000", "Sec-Fetch-Site: cross-site")]
    [InlineData(true, "Host: localhost:8000", "Sec-Fetch-Site: same-origin")]
    [InlineData(true, "Host: localhost:8000", "Sec-Fetch-Site: none")]
    [InlineData(false, "Host: evil.example:8000")]
    [InlineData(false, "Host: localhost.evil.example:8000")]
    [InlineData(false, "Host: localhost@evil.example")]
    [InlineData(false, "Host: localhost:8000", "Origin: https://evil.example")]
    [InlineData(false, "Host: localhost:8000", "Origin: http://localhost.evil.example")]
    [InlineData(false, "Host: localhost:8000", "Origin: null")]
    [InlineData(false, "Host: localhost:8000", "Sec-Fetch-Site: cross-site")]
    [InlineData(false, "Host: localhost:8000", "X-Forwarded-For: 203.0.113.7")]
    [InlineData(false, "Host: localhost:8000", "Forwarded: for=203.0.113.7")]
    [InlineData(false, "Host: localhost:8000", "X-Real-IP: 203.0.113.7")]
    public async Task On_loopback_the_default_trusts_only_what_comes_straight_from_this_machine(bool trusted, params string[] headers)
    {
        var result = await AskAsync(UserIdTrust.LocalOnly, [.. headers, "user_id=ada"]);
        Assert.Equal(trusted ? AuthFailure.None : AuthFailure.UserIdNotTrusted, result.Failure);
    }

    [Theory]
    [InlineData(null, "127.0.0.1", false, UserIdTrust.LocalOnly)]
    [InlineData(null, "localhost", false, UserIdTrust.LocalOnly)]
    [InlineData(null, "::1", false, UserIdTrust.LocalOnly)]
    [InlineData(null, "[::1]", false, UserIdTrust.LocalOnly)]
    [InlineData(null, "127.0.0.1", true, UserIdTrust.Always)]
    [InlineData(null, "0.0.0.0", false, UserIdTrust.Never)]
    [InlineData(null, "::", false, UserIdTrust.Never)]
    [InlineData(null, "myhost", false, UserIdTrust.Never)]
    [InlineData(null, "0.0.0.0", true, UserIdTrust.Always)]
    [InlineData(true, "127.0.0.1", false, UserIdTrust.Always)]
    [InlineData(true, "0.0.0.0", true, UserIdTrust.Always)]
    [InlineData(false, "127.0.0.1", false, UserIdTrust.Never)]
    [InlineData(false, "0.0.0.0", false, UserIdTrust.Never)]
    public void Trust_follows_setting_address_and_flag(bool? setting, string host, bool insecure, object expected)
    {
        Assert.Null(UserIdTrusts.Decide(setting, host, insecure, out var trust));
        Assert.Equal(expected, trust);
    }

    [Fact]
    public void Trust_on_a_public_address_needs_the_flag_and_a_contradiction_is_refused()
    {
        Assert.Contains("--insecure-trust-user-id", UserIdTrusts.Decide(true, "0.0.0.0", false, out _), StringComparison.Ordinal);
        Assert.Contains("--insecure-trust-user-id", UserIdTrusts.Decide(true, "192.0.2.1", false, out _), StringComparison.Ordinal);
        Assert.NotNull(UserIdTrusts.Decide(false, "127.0.0.1", true, out _));
    }
}
