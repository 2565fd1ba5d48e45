using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace FastChat.Server.Tests.Hosting;

/// <summary>A process that may have few descriptors, of which half-open connections take all that they get.</summary>
public sealed class DescriptorTests : IAsyncLifetime
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("fastchat-descriptors-");

    public ValueTask InitializeAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere the limit is not looked at.");
        return default;
    }

    public ValueTask DisposeAsync()
    {
        _directory.Delete(recursive: true);
        return default;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Out_of_descriptors_it_serves_whom_it_has_and_accepts_again_when_some_come_free(bool tls)
    {
        const int limit = 400, flood = 450;
        var settings = new Dictionary<string, object>
        {
            ["RateLimits"] = new { PerMinute = 1_000_000, PerHour = 1_000_000 },
            ["Limits"] = new { HandshakeTimeout = "2s" },
        };
        await File.WriteAllTextAsync(Path.Combine(_directory.FullName, "appsettings.json"), JsonSerializer.Serialize(settings));
        using var certificate = WriteCertificate();
        using var server = await ServerProcess.StartWithinAsync(limit, _directory,
            ["--port", "0", .. tls ? (string[])["--cert", "certificate.pem", "--key", "key.pem"] : []]);
        using var http = Client(server, certificate);
        using var issued = await http.SendAsync("POST", "/auth/dev-token", new { name = "ada" });
        string token = (await issued.JsonAsync()).Text("token");
        var half = new List<Socket>();
        try
        {
            for (int i = 0; i < flood; i++)
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                half.Add(socket);
                await socket.ConnectAsync(server.Address.Host, server.Address.Port).WaitAsync(TestServer.Patience);
                if (!tls) await socket.SendAsync("GET / HTTP/1.1\r\n"u8.ToArray()).WaitAsync(TestServer.Patience);
            }
            while (!server.Errors.Contains("Descriptors run out", StringComparison.Ordinal))
                await AnswersAsync(http, token);
            // Some have had their time, and those that wait take their places.
            await EndAsync(half[0]);
            await AnswersAsync(http, token);
        }
        finally
        {
            foreach (var socket in half) socket.Dispose();
        }
        using var newcomer = Client(server, certificate);
        await AnswersAsync(newcomer, token);
        Assert.Equal(0, await server.SignalAsync("TERM"));
        Assert.Contains("are accepted again", server.Errors, StringComparison.Ordinal);
    }

    private static async Task EndAsync(Socket socket)
    {
        try
        {
            await socket.ReceiveAsync(new byte[512]).WaitAsync(TestServer.Patience);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // Closed for its silence in the middle of a TLS handshake.
        }
    }

    private X509Certificate2 WriteCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        var certificate = new CertificateRequest("CN=few", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        File.WriteAllText(Path.Combine(_directory.FullName, "key.pem"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Path.Combine(_directory.FullName, "certificate.pem"), certificate.ExportCertificatePem());
        return certificate;
    }

    private static HttpClient Client(ServerProcess server, X509Certificate2 certificate) => new(new SocketsHttpHandler
    {
        SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString() == certificate.GetCertHashString() },
    })
    {
        BaseAddress = server.Address,
        Timeout = TestServer.Patience,
    };

    private static async Task AnswersAsync(HttpClient http, string token)
    {
        using var answer = await http.SendAsync("POST", $"/chat?token={token}", new { message = "hello" });
        Assert.NotEmpty((await answer.JsonAsync()).Text("response"));
    }

    [Fact]
    public async Task With_too_few_it_does_not_start_and_says_how_many_it_needs()
    {
        var (exitCode, output, errors) = await ServerProcess.RunWithinAsync(280, _directory, "--port", "0");
        Assert.True((exitCode, output) == (1, ""), errors);
        Assert.Matches(@"Cannot listen on 127\.0\.0\.1:0: \d+ of the 280 descriptors .* at least \d+ are needed\.", errors);
    }
}
