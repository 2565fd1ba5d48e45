using System.Security.Cryptography;
using System.Text;
using FastChat.Server.Auth;
using FastChat.Server.Auth.Tokens;

namespace FastChat.Server.Tests.Auth.Tokens;

public sealed class TokenValidatorTests : IDisposable
{
    private readonly AuthFixture _auth = new();

    public void Dispose() => _auth.Dispose();

    private async Task RefusesAsync(AuthFailure failure, string token) => Assert.Equal(failure, (await _auth.ValidateAsync(token)).Failure);

    private static string Hs256(string payload, string? header = null) => Forge.Hs256(AuthFixture.SecretBytes, payload, header: header);

    [Fact]
    public async Task A_good_HS256_token_says_who_it_is()
    {
        var result = await _auth.ValidateAsync(Hs256(_auth.Claims()));
        Assert.Equal(AuthFailure.None, result.Failure);
        Assert.Equal(
            new AuthenticatedUser("u1", "Ada") { ExpiresAt = DateTimeOffset.FromUnixTimeSeconds(_auth.Now + 3600 + 30) }, result.User);
    }

    [Theory]
    [InlineData(",\"role\":\"admin\"", true)]
    [InlineData(",\"role\":[\"user\",\"admin\"]", true)]
    [InlineData(",\"role\":\"not admin\"", false)]
    [InlineData(",\"role\":[\"administrator\"]", false)]
    [InlineData(",\"role\":true", false)]
    [InlineData(",\"roles\":\"admin\"", false)]
    public async Task Only_the_role_makes_an_admin(string claim, bool admin) =>
        Assert.Equal(admin, (await _auth.ValidateAsync(Hs256(_auth.Claims(claim)))).User!.IsAdmin);

    [Theory]
    [InlineData("RS256")]
    [InlineData("ES256")]
    public async Task A_key_in_a_PEM_file_verifies(string algorithm)
    {
        bool rsa = algorithm == "RS256";
        File.WriteAllText(_auth.PathOf("key.pem"), rsa
            ? AuthFixture.Rsa.ExportSubjectPublicKeyInfoPem()
            : AuthFixture.Ecdsa.ExportSubjectPublicKeyInfoPem());
        _auth.Options.KeyFiles = [_auth.PathOf("key.pem")];
        string good = rsa ? Forge.Rs256(AuthFixture.Rsa, _auth.Claims()) : Forge.Es256(AuthFixture.Ecdsa, _auth.Claims());
        Assert.Equal("u1", (await _auth.ValidateAsync(good)).User?.Id);

        using var otherRsa = RSA.Create(2048);
        using var otherEcdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await RefusesAsync(AuthFailure.BadSignature,
            rsa ? Forge.Rs256(otherRsa, _auth.Claims()) : Forge.Es256(otherEcdsa, _auth.Claims()));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("nOnE")]
    public async Task Unsigned_tokens_are_refused(string alg)
    {
        string header = Forge.Encode($$"""{"alg":"{{alg}}","typ":"JWT"}""");
        await RefusesAsync(AuthFailure.AlgorithmNone, $"{header}.{Forge.Encode(_auth.Claims())}.");
        await RefusesAsync(AuthFailure.AlgorithmNone, Hs256(_auth.Claims(), $$"""{"alg":"{{alg}}"}"""));
    }

    [Theory]
    [InlineData("SubjectPublicKeyInfo")]
    [InlineData("Pkcs1")]
    [InlineData("Der")]
    public async Task A_public_key_is_no_HMAC_secret(string form)
    {
        string pem = form == "Pkcs1" ? AuthFixture.Rsa.ExportRSAPublicKeyPem() : AuthFixture.Rsa.ExportSubjectPublicKeyInfoPem();
        File.WriteAllText(_auth.PathOf("key.pem"), pem);
        _auth.Options.Secret = null;
        _auth.Options.KeyFiles = [_auth.PathOf("key.pem")];
        byte[] confused = form == "Der" ? AuthFixture.Rsa.ExportSubjectPublicKeyInfo() : Encoding.UTF8.GetBytes(pem);
        // With a key id no HS256 key is even tried; without one, our own is, in vain.
        await RefusesAsync(AuthFailure.UnknownKey, Forge.Hs256(confused, _auth.Claims(), "k"));
        await RefusesAsync(AuthFailure.BadSignature, Forge.Hs256(confused, _auth.Claims()));
    }

    [Theory]
    [InlineData("HS512")]
    [InlineData("RS384")]
    [InlineData("PS256")]
    [InlineData("ES384")]
    [InlineData("hs256")]
    [InlineData("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")]
    public async Task Other_algorithms_are_refused(string alg) =>
        await RefusesAsync(AuthFailure.UnsupportedAlgorithm, Hs256(_auth.Claims(), Forge.Header(alg)));

    [Fact]
    public async Task A_changed_claim_breaks_the_signature()
    {
        string[] parts = Hs256(_auth.Claims()).Split('.');
        parts[1] = Forge.Encode(_auth.Claims().Replace("u1", "u2"));
        await RefusesAsync(AuthFailure.BadSignature, string.Join('.', parts));
        await RefusesAsync(AuthFailure.BadSignature, $"{parts[0]}.{parts[1]}.");
    }

    [Fact]
    public async Task Wrong_issuers_are_refused()
    {
        await RefusesAsync(AuthFailure.WrongIssuer, Hs256(_auth.Claims().Replace("https://issuer.example", "https://issuer.example.evil")));
        await RefusesAsync(AuthFailure.WrongIssuer, Hs256(_auth.Claims().Replace("\"iss\":\"https://issuer.example\",", "")));
        await RefusesAsync(AuthFailure.WrongIssuer, Hs256(_auth.Claims().Replace("https://issuer.example", "fastchat")));
    }

    [Fact]
    public async Task Wrong_audiences_are_refused_and_lists_are_searched()
    {
        await RefusesAsync(AuthFailure.WrongAudience, Hs256(_auth.Claims().Replace("\"chat\"", "\"shop\"")));
        await RefusesAsync(AuthFailure.WrongAudience, Hs256(_auth.Claims().Replace("\"aud\":\"chat\",", "")));
        await RefusesAsync(AuthFailure.WrongAudience, Hs256(_auth.Claims().Replace("\"chat\"", "[]")));
        await RefusesAsync(AuthFailure.None, Hs256(_auth.Claims().Replace("\"chat\"", "[\"shop\",\"chat\"]")));
        _auth.Options.Audience = null;
        await RefusesAsync(AuthFailure.WrongAudience, Hs256(_auth.Claims()));
        await RefusesAsync(AuthFailure.None, Hs256(_auth.Claims().Replace("\"aud\":\"chat\",", "")));
    }

    [Fact]
    public async Task Tokens_expire_after_the_clock_skew()
    {
        string token = Hs256(_auth.Claims());
        var validator = await _auth.OpenAsync();
        async Task<AuthFailure> NowAsync() => (await validator.ValidateAsync(token, CancellationToken.None)).Failure;
        _auth.Time.Advance(TimeSpan.FromSeconds(3600 + 29));
        // Whom it lets in it identifies until it lets nobody in.
        Assert.Equal(_auth.Time.GetUtcNow() + TimeSpan.FromSeconds(1), (await validator.ValidateAsync(token, CancellationToken.None)).User?.ExpiresAt);
        _auth.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(AuthFailure.Expired, await NowAsync());
    }

    [Fact]
    public async Task Tokens_begin_within_the_clock_skew()
    {
        await RefusesAsync(AuthFailure.NotYetValid, Hs256(_auth.Claims($",\"nbf\":{_auth.Now + 31}")));
        await RefusesAsync(AuthFailure.None, Hs256(_auth.Claims($",\"nbf\":{_auth.Now + 30}")));
    }

    [Fact]
    public async Task A_token_must_expire() =>
        await RefusesAsync(AuthFailure.MissingExpiry, Hs256("""{"iss":"https://issuer.example","aud":"chat","sub":"u1"}"""));

    [Theory]
    [InlineData("\"exp\":\"soon\"")]
    [InlineData("\"exp\":1e300")]
    [InlineData("\"exp\":-1")]
    [InlineData("\"exp\":null")]
    [InlineData("\"exp\":9999999999999999999999")]
    [InlineData("\"nbf\":[]")]
    [InlineData("\"sub\":7")]
    [InlineData("\"sub\":\"a\\u0000b\"")]
    [InlineData("\"sub\":\"\\ud800\"")]
    [InlineData("\"iss\":{}")]
    [InlineData("\"aud\":[1]")]
    public async Task Claims_of_wrong_types_are_refused(string claim) => await RefusesAsync(AuthFailure.InvalidClaims, Hs256($"{{{claim}}}"));

    [Fact]
    public async Task A_token_must_have_a_subject()
    {
        await RefusesAsync(AuthFailure.MissingSubject, Hs256(_auth.Claims().Replace("\"sub\":\"u1\",", "")));
        await RefusesAsync(AuthFailure.MissingSubject, Hs256(_auth.Claims().Replace("\"u1\"", "\"\"")));
        await RefusesAsync(AuthFailure.InvalidClaims, Hs256(_auth.Claims().Replace("u1", new string('u', 256))));
        await RefusesAsync(AuthFailure.None, Hs256(_auth.Claims().Replace("u1", new string('u', 255))));
    }

    [Fact]
    public async Task Oversized_tokens_are_refused_before_they_are_read()
    {
        string token = Hs256(_auth.Claims($",\"pad\":\"{new string('x', 5700)}\""));
        Assert.InRange(token.Length, 7000, 8192);
        await RefusesAsync(AuthFailure.None, token);
        await RefusesAsync(AuthFailure.Oversized, Hs256(_auth.Claims($",\"pad\":\"{new string('x', 6200)}\"")));
        await RefusesAsync(AuthFailure.Oversized, new string('.', 8193));
    }

    [Fact]
    public async Task Encrypted_tokens_are_refused()
    {
        string header = Forge.Encode("""{"alg":"dir","enc":"A128CBC-HS256","zip":"DEF"}""");
        await RefusesAsync(AuthFailure.Encrypted, $"{header}..{Forge.Encode("iv")}.{Forge.Encode("text")}.{Forge.Encode("tag")}");
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("a.b")]
    [InlineData("a.b.c.d")]
    [InlineData("a.b.c.d.e.f")]
    [InlineData("a.b.c.d.e.f.g.h")]
    [InlineData("..")]
    [InlineData("e30.e30.")]
    [InlineData("eyJhbGciOiJIUzI1NiJ9.W10.c2ln")]
    [InlineData("eyJhbGciOiJIUzI1NiJ9.e30=.c2ln")]
    [InlineData("eyJhbGciOiJIUzI1NiJ9 .e30.c2ln")]
    [InlineData("eyJhbGciOiJIUzI1NiJ9.e30.c2ln\n")]
    [InlineData("éyJhbGciOiJIUzI1NiJ9.e30.c2ln")]
    public async Task Malformed_tokens_are_refused(string token) => await RefusesAsync(AuthFailure.Malformed, token);

    [Fact]
    public async Task Deep_and_broken_JSON_is_refused()
    {
        await RefusesAsync(AuthFailure.Malformed, Hs256(_auth.Claims($",\"x\":{new string('[', 1000)}{new string(']', 1000)}")));
        await RefusesAsync(AuthFailure.Malformed, Hs256("{\"sub\":\"u1\""));
        await RefusesAsync(AuthFailure.Malformed, Hs256(_auth.Claims(), "{\"alg\":\"HS256\",}"));
        await RefusesAsync(AuthFailure.Malformed, Hs256(_auth.Claims(), "{\"alg\":5}"));
        await RefusesAsync(AuthFailure.Malformed, Hs256(_auth.Claims(), "{\"alg\":\"HS256\",\"kid\":5}"));
    }

    [Fact]
    public async Task Critical_extensions_are_refused()
    {
        await RefusesAsync(AuthFailure.CriticalHeader, Hs256(_auth.Claims(), """{"alg":"HS256","crit":["exp"],"exp":1}"""));
        await RefusesAsync(AuthFailure.CriticalHeader, Hs256(_auth.Claims(), """{"alg":"HS256","crit":["b64"],"b64":false}"""));
    }

    [Fact]
    public async Task Members_given_twice_are_refused()
    {
        await RefusesAsync(AuthFailure.DuplicateMember, Hs256(_auth.Claims(), """{"alg":"none","alg":"HS256"}"""));
        await RefusesAsync(AuthFailure.DuplicateMember, Hs256(_auth.Claims(",\"sub\":\"root\"")));
        await RefusesAsync(AuthFailure.DuplicateMember, Hs256(_auth.Claims(",\"s\\u0075b\":\"root\"")));
    }

    [Theory]
    [InlineData("JWT", AuthFailure.None)]
    [InlineData("jwt", AuthFailure.None)]
    [InlineData("at+jwt", AuthFailure.None)]
    [InlineData("application/at+jwt", AuthFailure.None)]
    [InlineData("logout+jwt", AuthFailure.WrongType)]
    [InlineData("secevent+jwt", AuthFailure.WrongType)]
    [InlineData("", AuthFailure.WrongType)]
    public async Task Tokens_of_another_kind_are_refused(string typ, AuthFailure failure) =>
        await RefusesAsync(failure, Hs256(_auth.Claims(), $$"""{"alg":"HS256","typ":"{{typ}}"}"""));

    [Fact]
    public async Task Keys_that_a_token_brings_along_are_not_used()
    {
        using var mine = RSA.Create(2048);
        string jwk = Forge.Jwk(mine, "mine").ToJsonString();
        string header = $$"""{"alg":"RS256","kid":"mine","jwk":{{jwk}},"jku":"http://127.0.0.1:1/keys","x5u":"http://127.0.0.1:1/cert"}""";
        await RefusesAsync(AuthFailure.UnknownKey, Forge.Rs256(mine, _auth.Claims(), header: header));
    }

    [Fact]
    public async Task Tokens_of_our_own_are_ours_only()
    {
        var issuer = new TokenIssuer(_auth.Signing, _auth.Options, _auth.Time);
        string token = await issuer.IssueAsync("u7", "Grace \"H\" é", TimeSpan.FromDays(1), admin: true);
        var result = await _auth.ValidateAsync(token);
        Assert.Equal(new AuthenticatedUser("u7", "Grace \"H\" é")
        {
            IsAdmin = true,
            ExpiresAt = DateTimeOffset.FromUnixTimeSeconds(_auth.Now + 86400 + 30),
        }, result.User);

        // The other issuer's key cannot make tokens that claim to be ours, nor ours theirs.
        string ours = $$"""{"iss":"fastchat","aud":"fastchat","sub":"u7","exp":{{_auth.Now + 60}}}""";
        await RefusesAsync(AuthFailure.WrongAudience, Hs256(ours));
        await RefusesAsync(AuthFailure.WrongIssuer, Hs256(ours.Replace("\"aud\":\"fastchat\"", "\"aud\":\"chat\"")));
        var key = await _auth.Signing.GetCurrentAsync();
        await RefusesAsync(AuthFailure.WrongAudience, Forge.Hs256(key.Secret, _auth.Claims(), key.KeyId));
    }

    [Fact]
    public async Task Many_threads_get_the_right_answers()
    {
        File.WriteAllText(_auth.PathOf("jwks.json"), Forge.Set(Forge.Jwk(AuthFixture.Rsa, "r"), Forge.Jwk(AuthFixture.Ecdsa, "e")));
        _auth.Options.JwksFile = _auth.PathOf("jwks.json");
        var validator = await _auth.OpenAsync();
        string[] good =
        [
            Hs256(_auth.Claims()), Forge.Rs256(AuthFixture.Rsa, _auth.Claims(), "r"), Forge.Es256(AuthFixture.Ecdsa, _auth.Claims(), "e"),
        ];
        string[] bad = [.. good.Select(t => t[..^8] + (t[^8] == 'A' ? 'B' : 'A') + t[^7..])];
        int wrong = 0;
        await Parallel.ForAsync(0, 600, async (i, stop) =>
        {
            var result = await validator.ValidateAsync(i % 2 == 0 ? good[i % 3] : bad[i % 3], stop);
            if (result.Failure != (i % 2 == 0 ? AuthFailure.None : AuthFailure.BadSignature))
                Interlocked.Increment(ref wrong);
        }).WaitAsync(Hosting.TestServer.Patience);
        Assert.Equal(0, wrong);
    }
}
