using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace FastChat.Server.Auth.Keys;

/// <summary>Reads keys from a secret, PEM text or a JSON Web Key Set. Throws <see cref="FormatException"/> with a sentence that holds no key.</summary>
internal static class KeyReader
{
    /// <summary>RFC 7518 section 3.2: a key of the hash's size or larger.</summary>
    public const int MinSecretBytes = 32;

    private const int MinRsaBits = 2048;
    private const int MaxRsaBits = 8192;
    private const int MaxKeys = 64;
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 8, AllowDuplicateProperties = false };

    // A provider per verification: cached ones would outlive a rotated key, and nothing says that they may be shared by threads.
    private static readonly CryptoProviderFactory Uncached = new() { CacheSignatureProviders = false };

    public static VerificationKey FromSecret(byte[] secret, string? keyId = null)
    {
        if (secret.Length < MinSecretBytes)
            throw new FormatException($"An HS256 secret needs at least {MinSecretBytes} bytes.");
        return Bind(SecurityAlgorithms.HmacSha256, keyId, new SymmetricSecurityKey(secret));
    }

    public static IReadOnlyList<VerificationKey> ReadPem(ReadOnlySpan<char> pem)
    {
        var keys = new List<VerificationKey>();
        while (PemEncoding.TryFind(pem, out var fields))
        {
            string block = pem[fields.Location].ToString();
            keys.Add(ReadPemBlock(pem[fields.Label].ToString(), block));
            pem = pem[fields.Location.End..];
        }
        return keys.Count is > 0 and <= MaxKeys ? keys : throw new FormatException($"A PEM file must hold 1 to {MaxKeys} public keys.");
    }

    private static VerificationKey ReadPemBlock(string label, string block)
    {
        if (label.Contains("PRIVATE", StringComparison.Ordinal))
            throw new FormatException("This is a private key: only its public half belongs here.");
        try
        {
            if (label == "CERTIFICATE")
            {
                using var certificate = X509Certificate2.CreateFromPem(block);
                using var rsa = certificate.GetRSAPublicKey();
                using var ecdsa = certificate.GetECDsaPublicKey();
                return rsa is not null ? FromRsa(rsa, null) : ecdsa is not null ? FromEcdsa(ecdsa, null) : throw Unsupported();
            }
            var info = PublicKey.CreateFromSubjectPublicKeyInfo(Spki(label, block), out _);
            using var rsaKey = info.GetRSAPublicKey();
            using var ecdsaKey = info.GetECDsaPublicKey();
            return rsaKey is not null ? FromRsa(rsaKey, null) : ecdsaKey is not null ? FromEcdsa(ecdsaKey, null) : throw Unsupported();
        }
        catch (CryptographicException e)
        {
            throw new FormatException("The PEM text holds no key that can be read.", e);
        }
    }

    private static byte[] Spki(string label, string block)
    {
        if (label is not ("PUBLIC KEY" or "RSA PUBLIC KEY"))
            throw Unsupported();
        if (label == "PUBLIC KEY")
            return Convert.FromBase64String(block[PemEncoding.Find(block).Base64Data]);
        using var rsa = RSA.Create();
        rsa.ImportFromPem(block);
        return rsa.ExportSubjectPublicKeyInfo();
    }

    /// <summary>
    /// Reads a set (RFC 7517 section 5). Keys for other purposes or algorithms, and broken or weak ones, are passed over as the RFC says;
    /// so are symmetric ones unless <paramref name="secrets"/>: a published secret is none.
    /// </summary>
    public static IReadOnlyList<VerificationKey> ReadJwks(ReadOnlyMemory<byte> json, bool secrets)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("keys", out var array)
                || array.ValueKind != JsonValueKind.Array || array.GetArrayLength() > MaxKeys)
                throw new FormatException($"A key set is an object with a list of at most {MaxKeys} \"keys\".");
            return [.. array.EnumerateArray().Select(key => ReadJwk(key, secrets)).OfType<VerificationKey>()];
        }
        catch (JsonException e)
        {
            throw new FormatException("The key set is not valid JSON.", e);
        }
    }

    private static VerificationKey? ReadJwk(JsonElement jwk, bool secrets)
    {
        if (jwk.ValueKind != JsonValueKind.Object || Text(jwk, "use") is not (null or "sig"))
            return null;
        if (jwk.TryGetProperty("key_ops", out var operations)
            && !(operations.ValueKind == JsonValueKind.Array && operations.EnumerateArray().Any(o => o.ValueEquals("verify"))))
            return null;
        string? keyId = Text(jwk, "kid");
        try
        {
            return (Text(jwk, "kty"), Text(jwk, "alg"), Text(jwk, "crv")) switch
            {
                ("RSA", null or "RS256", _) => FromRsa(Bytes(jwk, "n"), Bytes(jwk, "e"), keyId),
                ("EC", null or "ES256", "P-256") => FromPoint(Bytes(jwk, "x"), Bytes(jwk, "y"), keyId),
                ("oct", null or "HS256", _) when secrets => FromSecret(Bytes(jwk, "k"), keyId),
                _ => null,
            };
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            return null;
        }
    }

    private static VerificationKey FromRsa(byte[] modulus, byte[] exponent, string? keyId)
    {
        using var rsa = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent });
        return FromRsa(rsa, keyId);
    }

    private static VerificationKey FromRsa(RSA rsa, string? keyId)
    {
        if (rsa.KeySize is < MinRsaBits or > MaxRsaBits)
            throw new FormatException($"An RSA key must have {MinRsaBits} to {MaxRsaBits} bits.");
        return Bind(SecurityAlgorithms.RsaSha256, keyId, new RsaSecurityKey(rsa.ExportParameters(includePrivateParameters: false)));
    }

    private static VerificationKey FromPoint(byte[] x, byte[] y, string? keyId)
    {
        var point = new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } };
        using var ecdsa = ECDsa.Create(point);
        return FromEcdsa(ecdsa, keyId);
    }

    private static VerificationKey FromEcdsa(ECDsa ecdsa, string? keyId)
    {
        var point = ecdsa.ExportParameters(includePrivateParameters: false);
        if (ecdsa.KeySize != 256 || point.Curve.Oid.Value != ECCurve.NamedCurves.nistP256.Oid.Value)
            throw new FormatException("An elliptic-curve key must be on P-256.");
        return Bind(SecurityAlgorithms.EcdsaSha256, keyId, new JsonWebKey
        {
            Kty = "EC",
            Crv = "P-256",
            X = Base64Url.EncodeToString(point.Q.X),
            Y = Base64Url.EncodeToString(point.Q.Y),
        });
    }

    private static VerificationKey Bind(string algorithm, string? keyId, SecurityKey key)
    {
        key.KeyId = keyId;
        key.CryptoProviderFactory = Uncached;
        return new VerificationKey(algorithm, keyId, key);
    }

    private static string? Text(JsonElement jwk, string name) =>
        jwk.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static byte[] Bytes(JsonElement jwk, string name) =>
        Base64Url.DecodeFromChars(Text(jwk, name) ?? throw new FormatException($"A key of the set lacks \"{name}\"."));

    private static FormatException Unsupported() => new("Only RSA and P-256 public keys, and certificates with them, can be read.");
}
