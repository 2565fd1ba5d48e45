using System.Security.Cryptography;
using System.Text;
using FastChat.Server.Auth;
using FastChat.Server.Auth.Keys;
using FastChat.Server.Auth.Tokens;
using FastChat.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastChat.Server.Tests.Auth;

/// <summary>A directory of its own, a clock, and a validator over the options that a test sets.</summary>
internal sealed class AuthFixture : IDisposable
{
    public static readonly string Secret = "a secret of forty characters, shared 123";
    public static readonly RSA Rsa = RSA.Create(2048);
    public static readonly ECDsa Ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private KeyRing? _ring;

    public AuthFixture()
    {
        Options = new AuthOptions { Secret = Secret, Issuer = "https://issuer.example", Audience = "chat" };
        Signing = new SigningKeyFile(Directory.FullName, Options.SigningKeyLifetime, Time);
    }

    public DirectoryInfo Directory { get; } = System.IO.Directory.CreateTempSubdirectory("fastchat-auth-");

    public FakeTimeProvider Time { get; } = new();

    public AuthOptions Options { get; set; }

    public SigningKeyFile Signing { get; }

    public static byte[] SecretBytes => Encoding.UTF8.GetBytes(Secret);

    public string PathOf(string name) => Path.Combine(Directory.FullName, name);

    public long Now => Time.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>Claims that are fine, with this added before the closing brace.</summary>
    public string Claims(string more = "") =>
        $$"""{"iss":"https://issuer.example","aud":"chat","sub":"u1","name":"Ada","exp":{{Now + 3600}}{{more}}}""";

    public async Task<TokenValidator> OpenAsync()
    {
        await Signing.GetCurrentAsync();
        _ring = KeyRing.Open(Options, Signing, Time, NullLogger.Instance);
        return new TokenValidator(Options, _ring, Time, NullLogger.Instance);
    }

    public async Task<AuthResult> ValidateAsync(string token) =>
        await (await OpenAsync()).ValidateAsync(token, CancellationToken.None).AsTask().WaitAsync(Hosting.TestServer.Patience);

    public void Dispose()
    {
        _ring?.Dispose();
        Directory.Delete(recursive: true);
    }
}
