using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FastChat.Server.Tests.Hosting;

/// <summary>TLS and HTTP/2: requests and sockets over both arrive at the same chat.</summary>
public sealed class TlsTests : IAsyncLifetime
{
    private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("fastchat-tls-");
    private readonly SocketsHttpHandler _handler;
    private readonly HashSet<string> _made = [];
    private string? _subject;
    private TestServer _server = null!;

    public TlsTests() => _handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = Check } };

    private string CertificateFile => Path.Combine(_files.FullName, "cert.pem");

    private string KeyFile => Path.Combine(_files.FullName, "key.pem");

    public async ValueTask InitializeAsync()
    {
        WriteCertificate("CN=first");
        _server = await TestServer.StartAsync(new() { ["Cert"] = CertificateFile, ["Key"] = KeyFile }, handler: _handler);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _handler.Dispose();
        _files.Delete(recursive: true);
    }

    // Only the test's own, made a moment ago; which one it was is looked at.
    private bool Check(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        _subject = certificate?.Subject;
        lock (_made)
            return certificate is not null && _made.Contains(certificate.GetCertHashString());
    }

    private void WriteCertificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        lock (_made)
            _made.Add(certificate.GetCertHashString());
        File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(CertificateFile, certificate.ExportCertificatePem());
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Requests(string version)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health/ready") { Version = new Version(version), VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var response = await _server.Http.SendAsync(request);
        Assert.Equal((HttpStatusCode.OK, new Version(version)), (response.StatusCode, response.Version));
        Assert.Equal("CN=first", _subject);
        Assert.Equal("https", _server.Address.Scheme);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Sockets_stream_and_close(string version)
    {
        string token = await _server.TokenAsync("ada");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/chatbot/assistant/session?token={token}");
        using var opened = await _server.Http.SendAsync(request);
        var session = await opened.JsonAsync();
        using var socket = await ConnectAsync($"/ws/chat/{session.Text("session_id")}?token={token}", version);
        Assert.Equal(session.Text("session_id"), (await socket.NextAsync("session_info")).Text("session_id"));
        for (int i = 0; i < 3; i++)
        {
            await socket.SendAsync(new { message = new string('x', 20_000) });
            Assert.Equal(TestServer.Answer, (await socket.SkipToAsync("response_complete")).Text("full_response"));
        }
        await socket.CloseAsync();
        Assert.Equal(1000, socket.CloseStatus.Code);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Refusals_and_dialects_are_the_same(string version)
    {
        Assert.Equal(401, (await Assert.ThrowsAsync<RefusedException>(() => ConnectAsync("/chat/", version))).Status);
        using var socket = await ConnectAsync("/ws/?token=nonsense", version);
        Assert.Equal("unauthorized", (await socket.NextAsync()).Text("code"));
        Assert.Equal(1008, (await socket.ClosedAsync()).Code);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Sockets_are_drained_too(string version)
    {
        using var socket = await ConnectAsync($"/ws/?token={await _server.TokenAsync("ada")}", version);
        await socket.SendAsync("Hi");
        await socket.TextAsync();
        var stopping = _server.StopAsync();
        Assert.Equal(1001, (await socket.ClosedAsync()).Code);
        await socket.CloseAsync();
        await stopping;
    }

    [Fact]
    public async Task A_new_certificate_is_used_without_a_restart()
    {
        Assert.Equal("CN=first", await SubjectAsync());
        WriteCertificate("CN=second");
        Assert.Equal("CN=second", await UntilAsync("CN=second"));
    }

    private async Task<string?> UntilAsync(string subject)
    {
        using var patience = new CancellationTokenSource(TestServer.Patience);
        string? seen;
        while ((seen = await SubjectAsync()) != subject && !patience.IsCancellationRequested)
        {
        }
        return seen;
    }

    /// <summary>Whose certificate a new connection is shown.</summary>
    private async Task<string?> SubjectAsync()
    {
        using var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = Check } };
        using var client = new HttpClient(handler) { BaseAddress = _server.Address, Timeout = TestServer.Patience };
        using var response = await client.GetAsync(new Uri("/health/live", UriKind.Relative));
        response.EnsureSuccessStatusCode();
        return _subject;
    }

    private Task<TestSocket> ConnectAsync(string path, string version) => TestSocket.ConnectAsync(_server.Address, path, [], options =>
    {
        options.HttpVersion = new Version(version);
        options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
    }, new HttpMessageInvoker(_handler, disposeHandler: false));
}
