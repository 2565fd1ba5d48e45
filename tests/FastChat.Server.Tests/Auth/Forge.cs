using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FastChat.Server.Tests.Auth;

/// <summary>Makes tokens and key sets with nothing but the runtime's cryptography, so that the library is not tested against itself.</summary>
internal static class Forge
{
    public static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);

    public static string Encode(string text) => Encode(Encoding.UTF8.GetBytes(text));

    public static string Signed(string header, string payload, Func<byte[], byte[]> sign)
    {
        string input = $"{Encode(header)}.{Encode(payload)}";
        return $"{input}.{Encode(sign(Encoding.ASCII.GetBytes(input)))}";
    }

    public static string Header(string alg, string? kid = null) =>
        kid is null ? $$"""{"alg":"{{alg}}","typ":"JWT"}""" : $$"""{"alg":"{{alg}}","typ":"JWT","kid":"{{kid}}"}""";

    public static string Hs256(byte[] secret, string payload, string? kid = null, string? header = null) =>
        Signed(header ?? Header("HS256", kid), payload, input => HMACSHA256.HashData(secret, input));

    public static string Rs256(RSA key, string payload, string? kid = null, string? header = null) =>
        Signed(header ?? Header("RS256", kid), payload, input => key.SignData(input, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    public static string Es256(ECDsa key, string payload, string? kid = null, string? header = null) =>
        Signed(header ?? Header("ES256", kid), payload, input => key.SignData(input, HashAlgorithmName.SHA256));

    public static JsonObject Jwk(RSA key, string? kid)
    {
        var p = key.ExportParameters(false);
        return new() { ["kty"] = "RSA", ["use"] = "sig", ["kid"] = kid, ["n"] = Encode(p.Modulus!), ["e"] = Encode(p.Exponent!) };
    }

    public static JsonObject Jwk(ECDsa key, string? kid)
    {
        var p = key.ExportParameters(false);
        return new() { ["kty"] = "EC", ["crv"] = "P-256", ["kid"] = kid, ["x"] = Encode(p.Q.X!), ["y"] = Encode(p.Q.Y!) };
    }

    public static JsonObject Jwk(byte[] secret, string? kid) => new() { ["kty"] = "oct", ["kid"] = kid, ["k"] = Encode(secret) };

    public static string Set(params JsonObject[] keys) =>
        new JsonObject { ["keys"] = new JsonArray([.. keys]) }.ToJsonString(new JsonSerializerOptions { WriteIndented = false });
}
