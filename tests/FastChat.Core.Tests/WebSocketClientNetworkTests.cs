using System.Buffers;
using FastChat.Connections;
using FastChat.Core.Tests.Connections;
using FastChat.Core.Tests.Protocol;
using FastChat.Core.Tests.Transport;
using FastChat.Protocol;
using FastChat.Protocol.Compression;
using FastChat.TestKit;
using FastChat.Transport;

namespace FastChat.Core.Tests;

/// <summary>Our client on real sockets, against ASP.NET Core's WebSockets and against our own server.</summary>
public sealed class WebSocketClientNetworkTests
{
    private static readonly TimeSpan Patience = NetworkHarness.Patience;

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Kestrel_sends_messages_of_every_size_back(bool deflate, bool takeover)
    {
        await using var kestrel = await KestrelHarness.StartAsync();
        await WithClientAsync(options =>
        {
            options.Compression = deflate ? new() { ClientContextTakeover = takeover, ServerContextTakeover = takeover, Threshold = 0 } : null;
            options.Subprotocols = ["v1", "v2"];
            options.Headers = [new("X-Test", "seen")];
        }, async client =>
        {
            var connection = await client.ConnectAsync(kestrel.Url(deflate ? "/deflate" : "/echo")).WaitAsync(Patience);
            Assert.Equal((deflate, "v2"), (connection.IsCompressed, connection.Subprotocol));
            Assert.Null(connection.Request);
            await EchoAllAsync(connection, 1 << 20);
            await connection.CloseAsync((CloseCode)4001, "done");
            Assert.Null(await connection.ReadMessageAsync().AsTask().WaitAsync(Patience));
            await connection.Completion.WaitAsync(Patience);
            Assert.Equal((EndReason.ClosedHere, 4001), (connection.EndReason, (int)connection.CloseCode));
            Assert.Equal(["seen"], kestrel.Headers);
        });
    }

    [Fact]
    public async Task Kestrel_closes_with_a_code_and_a_reason()
    {
        await using var kestrel = await KestrelHarness.StartAsync();
        await WithClientAsync(null, async client =>
        {
            var connection = await client.ConnectAsync(kestrel.Url("/goodbye")).WaitAsync(Patience);
            Assert.Null(await connection.ReadMessageAsync().AsTask().WaitAsync(Patience));
            await connection.Completion.WaitAsync(Patience);
            Assert.Equal((EndReason.ClosedByPeer, 4000, "bye é"), (connection.EndReason, (int)connection.CloseCode, connection.CloseReason));
        });
    }

    [Theory]
    [InlineData("/elsewhere", 302, "redirects to /echo")]
    [InlineData("/secret", 401, "401")]
    [InlineData("/nothing", 404, "404")]
    public async Task What_is_not_101_is_an_exception_with_the_status(string path, int status, string sentence)
    {
        await using var kestrel = await KestrelHarness.StartAsync();
        await WithClientAsync(null, async client =>
        {
            var refused = await Assert.ThrowsAsync<WebSocketConnectException>(() => client.ConnectAsync(kestrel.Url(path)).WaitAsync(Patience));
            Assert.Equal(status, refused.StatusCode);
            Assert.Contains(sentence, refused.Message, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Messages_to_a_handler_come_in_order_from_many_connections_of_one_client()
    {
        await using var kestrel = await KestrelHarness.StartAsync();
        await WithClientAsync(null, async client => await Task.WhenAll(Enumerable.Range(0, 8).Select(async number =>
        {
            const int Count = 500;
            int next = 0;
            var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var handler = new LambdaHandler((connection, message) =>
            {
                byte[] expected = Frames.Pattern((next * 37 % 3000) + number, next);
                if (!message.Payload.ToArray().AsSpan().SequenceEqual(expected)) all.TrySetException(new InvalidOperationException($"message {next} is another"));
                if (++next == Count) all.TrySetResult();
                return default;
            });
            var connection = await client.ConnectAsync(kestrel.Url(), handler).WaitAsync(Patience);
            for (int i = 0; i < Count; i++) await connection.SendBinaryAsync(Frames.Pattern((i * 37 % 3000) + number, i)).AsTask().WaitAsync(Patience);
            await all.Task.WaitAsync(Patience);
            await connection.DisposeAsync().AsTask().WaitAsync(Patience);
            Assert.Equal((EndReason.ClosedHere, 1), (connection.EndReason, handler.ClosedCalls));
        })).WaitAsync(Patience));
    }

    [Theory]
    [InlineData(TransportKind.Epoll, false)]
    [InlineData(TransportKind.Epoll, true)]
    [InlineData(TransportKind.Sockets, false)]
    [InlineData(TransportKind.Sockets, true)]
    public async Task Our_own_server_sends_messages_of_every_size_back_over_TCP_and_over_TLS(TransportKind kind, bool tls)
    {
        await using var harness = await NetworkHarness.StartAsync(kind, options =>
        {
            options.Tls = tls ? TestCertificate.Server() : null;
            options.Compression = new PerMessageDeflateOptions { ServerContextTakeover = true };
        });
        await WithClientAsync(options =>
        {
            options.Compression = new PerMessageDeflateOptions { ServerContextTakeover = true, ClientContextTakeover = true };
            options.ConfigureTls = settings =>
            {
                Assert.Equal("localhost", settings.TargetHost);
                settings.RemoteCertificateValidationCallback = TestCertificate.Client().RemoteCertificateValidationCallback;
            };
        }, async client =>
        {
            var uri = new Uri($"{(tls ? "wss" : "ws")}://localhost:{harness.Server.Port}/echo");
            var connection = await client.ConnectAsync(uri).WaitAsync(Patience);
            Assert.True(connection.IsCompressed);
            await EchoAllAsync(connection, 4 << 20);
            await connection.DisposeAsync().AsTask().WaitAsync(Patience);
            Assert.Equal((EndReason.ClosedHere, CloseCode.NormalClosure), (connection.EndReason, connection.CloseCode));
        });
    }

    [Theory]
    [InlineData(TransportKind.Epoll)]
    [InlineData(TransportKind.Sockets)]
    public async Task Over_a_Unix_domain_socket_it_is_the_same(TransportKind kind)
    {
        string path = Path.Combine(Path.GetTempPath(), $"fastchat-{Guid.NewGuid():N}.sock");
        var endPoint = new System.Net.Sockets.UnixDomainSocketEndPoint(path);
        await using var harness = await NetworkHarness.StartAsync(kind, options => options.EndPoint = endPoint);
        await WithClientAsync(options => options.Connect = async (_, token) => await SocketTransport.ConnectAsync(endPoint, new() { Pool = options.Pool }, token), async client =>
        {
            var connection = await client.ConnectAsync(new Uri("ws://local/echo")).WaitAsync(Patience);
            await EchoAllAsync(connection, 1 << 20);
            await connection.DisposeAsync().AsTask().WaitAsync(Patience);
        });
    }

    [Fact]
    public async Task A_certificate_that_nobody_vouches_for_is_refused()
    {
        await using var harness = await NetworkHarness.StartAsync(TransportKind.Sockets, options => options.Tls = TestCertificate.Server());
        await WithClientAsync(null, async client =>
        {
            var refused = await Assert.ThrowsAsync<WebSocketConnectException>(() => client.ConnectAsync(new Uri($"wss://localhost:{harness.Server.Port}/echo")).WaitAsync(Patience));
            Assert.Equal(0, refused.StatusCode);
            Assert.IsType<System.Security.Authentication.AuthenticationException>(refused.InnerException);
        });
    }

    [Fact]
    public async Task Where_nobody_listens_it_says_so()
    {
        // Bound and not listening: the port is nobody else's meanwhile.
        using var bound = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        bound.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        await WithClientAsync(null, async client =>
        {
            var refused = await Assert.ThrowsAsync<WebSocketConnectException>(
                () => client.ConnectAsync(new Uri($"ws://127.0.0.1:{((System.Net.IPEndPoint)bound.LocalEndPoint!).Port}/")).WaitAsync(Patience));
            Assert.IsType<System.Net.Sockets.SocketException>(refused.InnerException);
        });
    }

    private static async Task EchoAllAsync(WebSocketConnection connection, int largest)
    {
        foreach (int size in ((int[])[0, 1, 125, 126, 127, 4096, 65_535, 65_536, 300_000, 1 << 20, 4 << 20]).Where(size => size <= largest))
        {
            foreach (bool text in (bool[])[true, false])
            {
                byte[] payload = text ? NetworkHarness.Text(size) : Frames.Pattern(size, size);
                var sending = text ? connection.SendTextAsync(payload) : connection.SendBinaryAsync(payload);
                var echo = await connection.ReadMessageAsync().AsTask().WaitAsync(Patience);
                await sending.AsTask().WaitAsync(Patience);
                Assert.Equal(text, echo!.Value.IsText);
                Assert.True(echo.Value.Payload.ToArray().AsSpan().SequenceEqual(payload), $"{size} bytes came back as {echo.Value.Payload.Length} others");
            }
        }
    }

    /// <summary>A client with a pool that must be whole again when its connections are gone.</summary>
    private static async Task WithClientAsync(Action<WebSocketClientOptions>? configure, Func<WebSocketClient, Task> use)
    {
        var pool = new TrackingArrayPool();
        var options = new WebSocketClientOptions { Pool = pool, LoggerFactory = new RecordingLogger() };
        options.Limits.MaxMessageBytes = options.Limits.MaxFrameBytes = 16 << 20;
        configure?.Invoke(options);
        await using (var client = new WebSocketClient(options)) await use(client);
        await WebSocketServerTests.Until(() => pool.Outstanding == 0);
        pool.AssertNothingRented();
    }
}
