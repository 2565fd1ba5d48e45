using System.Net;
using System.Net.Sockets;
using System.Text;
using FastChat.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace FastChat.Server.Tests.Hosting;

/// <summary>One port: upgrades of the chat's paths stay with FastChat, everything else reaches Kestrel with every byte.</summary>
public sealed class OnePortTests : IAsyncLifetime
{
    private const string Upgrade =
        "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task<NetworkStream> ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, _server.Address.Port).WaitAsync(TestServer.Patience);
        return new NetworkStream(socket, ownsSocket: true);
    }

    private static Task WriteAsync(NetworkStream stream, string text) => stream.WriteAsync(Encoding.ASCII.GetBytes(text)).AsTask().WaitAsync(TestServer.Patience);

    /// <summary>Reads until the text ends like this.</summary>
    private static async Task<string> ReadToAsync(NetworkStream stream, string end)
    {
        var text = new StringBuilder();
        byte[] one = new byte[1];
        while (!text.ToString().EndsWith(end, StringComparison.Ordinal) && await stream.ReadAsync(one).AsTask().WaitAsync(TestServer.Patience) == 1)
            text.Append((char)one[0]);
        return text.ToString();
    }

    [Fact]
    public async Task A_request_that_comes_byte_by_byte_reaches_kestrel_whole()
    {
        using var stream = await ConnectAsync();
        string body = """{"message":"Hi","user_id":"slow"}""";
        string request = $"POST /chat HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}";
        foreach (char c in request)
            await WriteAsync(stream, c.ToString());
        string response = await ReadToAsync(stream, "\0");
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", response, StringComparison.Ordinal);
        Assert.Contains(TestServer.Answer, response, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pipelined_requests_are_answered_in_order_on_one_connection()
    {
        using var stream = await ConnectAsync();
        await WriteAsync(stream, "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\nGET /health/ready HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        string responses = await ReadToAsync(stream, "\0");
        int live = responses.IndexOf("\"live\"", StringComparison.Ordinal), ready = responses.IndexOf("\"ready\"", StringComparison.Ordinal);
        int nowhere = responses.IndexOf("HTTP/1.1 404", StringComparison.Ordinal);
        Assert.True(live > 0 && live < ready && ready < nowhere, responses);
    }

    [Fact]
    public async Task An_upgrade_on_a_connection_that_served_requests_reaches_the_same_chat()
    {
        using var stream = await ConnectAsync();
        await WriteAsync(stream, "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n");
        Assert.Contains("200 OK", await ReadToAsync(stream, "\r\n0\r\n\r\n"), StringComparison.Ordinal);
        await WriteAsync(stream, $"GET /ws?token={await _server.TokenAsync("ada")} HTTP/1.1\r\n{Upgrade}");
        string head = await ReadToAsync(stream, "\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 101 ", head, StringComparison.Ordinal);
        // RFC 6455 section 1.3's own example.
        Assert.Contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", head, StringComparison.Ordinal);
        // "Hi", masked with zeros.
        await stream.WriteAsync(new byte[] { 0x81, 0x82, 0, 0, 0, 0, (byte)'H', (byte)'i' });
        byte[] answer = new byte[2 + TestServer.Answer.Length];
        await stream.ReadExactlyAsync(answer).AsTask().WaitAsync(TestServer.Patience);
        Assert.Equal(TestServer.Answer, Encoding.ASCII.GetString(answer, 2, answer.Length - 2));
        // Close with 1000: it is echoed and the stream ends.
        await stream.WriteAsync(new byte[] { 0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8 });
        byte[] close = new byte[4];
        await stream.ReadExactlyAsync(close).AsTask().WaitAsync(TestServer.Patience);
        Assert.Equal([0x88, 0x02, 0x03, 0xE8], close);
        Assert.Equal(0, await stream.ReadAsync(close).AsTask().WaitAsync(TestServer.Patience));
    }

    [Theory]
    [InlineData("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 12")]
    [InlineData("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Key: dGhl")]
    public async Task A_broken_upgrade_on_a_used_connection_is_refused(string good, string bad)
    {
        using var stream = await ConnectAsync();
        await WriteAsync(stream, "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n");
        await ReadToAsync(stream, "\r\n0\r\n\r\n");
        await WriteAsync(stream, $"GET /ws?user_id=ada HTTP/1.1\r\n{Upgrade.Replace(good, bad, StringComparison.Ordinal)}");
        Assert.StartsWith("HTTP/1.1 400 ", await ReadToAsync(stream, "\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_socket_path_without_an_upgrade_says_what_it_is()
    {
        using var response = await _server.Http.GetAsync(new Uri("/ws/", UriKind.Relative));
        Assert.StartsWith("This is a WebSocket", await response.DetailAsync(426), StringComparison.Ordinal);
        Assert.Equal("websocket", response.Headers.Upgrade.ToString());
        using var nowhere = await _server.Http.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/nowhere") { Headers = { { "Upgrade", "websocket" }, { "Connection", "Upgrade" } } });
        Assert.Equal("Resource not found", await nowhere.DetailAsync(404));
    }

    [Fact]
    public async Task Many_requests_and_sockets_at_once()
    {
        string token = await _server.TokenAsync("ada");
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
        {
            if (i % 2 == 0)
            {
                using var live = await _server.Http.GetAsync(new Uri("/health/live", UriKind.Relative));
                Assert.Equal(HttpStatusCode.OK, live.StatusCode);
                return;
            }
            using var socket = await _server.ConnectAsync($"/ws/?token={token}");
            await socket.SendAsync("Hi");
            Assert.Equal(TestServer.Answer, await socket.TextAsync());
            await socket.CloseAsync();
        })).WaitAsync(TestServer.Patience);
    }

    [Fact]
    public async Task Pages_of_other_origins_are_kept_out_where_a_list_says_so()
    {
        await using var server = await TestServer.StartAsync(new() { ["AllowedOrigins:0"] = "https://app.example.com" });
        string path = $"/ws/?token={await server.TokenAsync("ada")}";
        using (var allowed = await server.ConnectAsync(path, ("Origin", "https://app.example.com")))
        {
            await allowed.SendAsync("Hi");
            Assert.Equal(TestServer.Answer, await allowed.TextAsync());
        }
        Assert.Equal(403, (await Assert.ThrowsAsync<RefusedException>(() => server.ConnectAsync(path, ("Origin", "https://evil.example")))).Status);
        using var preflight = new HttpRequestMessage(HttpMethod.Options, "/chat")
        {
            Headers = { { "Origin", "https://evil.example" }, { "Access-Control-Request-Method", "POST" } },
        };
        using var refused = await server.Http.SendAsync(preflight);
        Assert.False(refused.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_said_so()
    {
        var settings = new Dictionary<string, string?> { ["Port"] = $"{_server.Address.Port}" };
        var e = await Assert.ThrowsAsync<IOException>(() => TestServer.StartAsync(settings));
        Assert.Equal($"Cannot listen on 127.0.0.1:{_server.Address.Port}: another program has this port.", e.Message);
    }

    [Fact]
    public async Task A_socket_lives_as_long_as_its_token_is_let_in_and_is_told_when_it_is_not()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(services: s => s.Replace(ServiceDescriptor.Singleton<TimeProvider>(time)));
        string token = await server.TokenAsync("ada", lifetime: TimeSpan.FromSeconds(2));
        // 2 s and the skew of 30 s are 32.
        time.Advance(TimeSpan.FromSeconds(10));
        using var socket = await server.ConnectAsync($"/chat/?token={token}");
        await socket.NextAsync();
        time.Advance(TimeSpan.FromSeconds(21));
        await socket.SendAsync(new { message = "Am I still here?" });
        Assert.Equal(TestServer.Answer, (await socket.NextAsync()).Text("message"));
        time.Advance(TimeSpan.FromSeconds(1));
        var error = await socket.NextAsync();
        Assert.Equal(("The token has expired.", "unauthorized"), (error.Text("error"), error.Text("code")));
        Assert.Equal((1008, "The token has expired."), await socket.ClosedAsync());
        Assert.Equal(401, (await Assert.ThrowsAsync<RefusedException>(() => server.ConnectAsync($"/chat/?token={token}"))).Status);
    }
}
