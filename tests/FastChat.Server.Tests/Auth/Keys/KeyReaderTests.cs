using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using FastChat.Server.Auth.Keys;

namespace FastChat.Server.Tests.Auth.Keys;

public sealed class KeyReaderTests
{
    private static IReadOnlyList<VerificationKey> Jwks(string json, bool secrets = false) =>
        KeyReader.ReadJwks(Encoding.UTF8.GetBytes(json), secrets);

    [Fact]
    public void A_PEM_file_may_hold_several_keys_and_certificates()
    {
        using var certificate = new CertificateRequest("CN=test", AuthFixture.Ecdsa, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(1));
        string pem = string.Join('\n',
            "a comment",
            AuthFixture.Rsa.ExportSubjectPublicKeyInfoPem(), AuthFixture.Ecdsa.ExportSubjectPublicKeyInfoPem(),
            AuthFixture.Rsa.ExportRSAPublicKeyPem(), certificate.ExportCertificatePem());
        Assert.Equal(["RS256", "ES256", "RS256", "ES256"], KeyReader.ReadPem(pem).Select(key => key.Algorithm));
    }

    [Fact]
    public void Private_and_weak_keys_are_refused_in_PEM()
    {
        using var weak = RSA.Create(1024);
        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        string[] bad =
        [
            AuthFixture.Rsa.ExportPkcs8PrivateKeyPem(), AuthFixture.Ecdsa.ExportECPrivateKeyPem(), weak.ExportSubjectPublicKeyInfoPem(),
            curve.ExportSubjectPublicKeyInfoPem(), "", "no key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
            "-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----",
        ];
        Assert.All(bad, pem => Assert.Throws<FormatException>(() => KeyReader.ReadPem(pem)));
    }

    [Fact]
    public void A_set_yields_the_keys_that_verify_and_passes_over_the_rest()
    {
        using var weak = RSA.Create(1024);
        var encryption = Forge.Jwk(AuthFixture.Rsa, "enc");
        encryption["use"] = "enc";
        var otherAlgorithm = Forge.Jwk(AuthFixture.Rsa, "ps");
        otherAlgorithm["alg"] = "PS256";
        var signOnly = Forge.Jwk(AuthFixture.Rsa, "sign");
        signOnly["key_ops"] = new JsonArray("sign");
        var offCurve = Forge.Jwk(AuthFixture.Ecdsa, "off");
        offCurve["y"] = offCurve["x"]!.DeepClone();
        var half = new JsonObject { ["kty"] = "RSA", ["kid"] = "half", ["n"] = "AQAB" };
        string set = Forge.Set(encryption, otherAlgorithm, signOnly, offCurve, half, Forge.Jwk(weak, "weak"),
            Forge.Jwk(AuthFixture.Rsa, "r"), Forge.Jwk(AuthFixture.Ecdsa, "e"), new JsonObject { ["kty"] = "OKP", ["crv"] = "Ed25519" });
        Assert.Equal([("RS256", "r"), ("ES256", "e")], Jwks(set).Select(key => (key.Algorithm, key.KeyId)));
    }

    [Fact]
    public void Secrets_are_read_only_where_they_may_be()
    {
        string set = Forge.Set(Forge.Jwk(new byte[32], "good"), Forge.Jwk(new byte[31], "short"));
        Assert.Empty(Jwks(set));
        Assert.Equal("good", Assert.Single(Jwks(set, secrets: true)).KeyId);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"keys\":{}}")]
    [InlineData("{\"keys\":[],\"keys\":[]}")]
    public void What_is_no_set_is_refused(string json) => Assert.Throws<FormatException>(() => Jwks(json));

    [Fact]
    public void An_empty_set_is_a_set() => Assert.Empty(Jwks("{\"keys\":[]}"));
}
