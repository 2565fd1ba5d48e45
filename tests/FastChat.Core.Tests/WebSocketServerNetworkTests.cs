using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using FastChat.Connections;
using FastChat.Core.Tests.Connections;
using FastChat.Core.Tests.Protocol;
using FastChat.Core.Tests.Transport;
using FastChat.Protocol;
using FastChat.Protocol.Compression;
using static FastChat.Core.Tests.NetworkHarness;

namespace FastChat.Core.Tests;

/// <summary>The server on real sockets, over each transport, against the runtime's own client and against sockets that misbehave.</summary>
public sealed class WebSocketServerNetworkTests
{
    private const EndpointRole S = EndpointRole.Server;

    public static TheoryData<TransportKind, HandlerScheduling, bool> Ways
    {
        get
        {
            var ways = new TheoryData<TransportKind, HandlerScheduling, bool>();
            foreach (var kind in (TransportKind[])[TransportKind.Epoll, TransportKind.Sockets])
                foreach (var scheduling in Enum.GetValues<HandlerScheduling>())
                    foreach (bool deflate in (bool[])[false, true]) ways.Add(kind, scheduling, deflate);
            return ways;
        }
    }

    public static TheoryData<TransportKind> Kinds => NetworkHarness.Kinds;

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task The_runtimes_client_gets_messages_of_every_size_back(TransportKind kind, HandlerScheduling scheduling, bool deflate)
    {
        await using var harness = await StartAsync(kind, options =>
        {
            options.HandlerScheduling = scheduling;
            options.Compression = deflate ? new PerMessageDeflateOptions { ClientContextTakeover = true, ServerContextTakeover = true } : null;
        });
        var client = await harness.ConnectAsync(configure: options => options.DangerousDeflateOptions = deflate ? new() : null);
        foreach (int size in (int[])[0, 1, 125, 126, 127, 4096, 65_535, 65_536, 100_000, 262_144, 1 << 20, 8 << 20])
        {
            await EchoAsync(client, Frames.Pattern(size, size), WebSocketMessageType.Binary);
            await EchoAsync(client, Text(size), WebSocketMessageType.Text);
        }
        await CloseAsync(client);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Many_clients_at_once_with_handlers_that_wait_get_their_own_messages_back(TransportKind kind)
    {
        // The payload stays where it was received while the handler is away, and others receive meanwhile.
        var handler = new LambdaHandler(async (connection, message) =>
        {
            if (message.Payload.Length % 3 != 0) await Task.Yield();
            if (message.Payload.Length % 5 == 0) await Task.Run(() => { });
            await connection.SendAsync(message);
        });
        await using var harness = await StartAsync(kind, options => options.Loops = 1, ("/echo", handler));
        await Task.WhenAll(Enumerable.Range(0, 30).Select(async number =>
        {
            var random = new Random(number);
            var client = await harness.ConnectAsync();
            for (int i = 0; i < 40; i++)
            {
                int size = random.Next(4) == 0 ? random.Next(300_000) : random.Next(3000);
                await EchoAsync(client, Frames.Pattern(size, number + i), WebSocketMessageType.Binary);
            }
            await CloseAsync(client);
        })).WaitAsync(Patience);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Messages_in_flight_both_ways_pulled_by_the_application_arrive_in_order(TransportKind kind)
    {
        var handler = new PullHandler(async connection =>
        {
            while (await connection.ReadMessageAsync() is { } message) await connection.SendAsync(message);
        });
        await using var harness = await StartAsync(kind, null, ("/echo", handler));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async number =>
        {
            var client = await harness.ConnectAsync();
            var sending = Task.Run(async () =>
            {
                for (int i = 0; i < 2000; i++) await client.SendAsync(Frames.Pattern(i * 7 % 5000, i), WebSocketMessageType.Binary, true, CancellationToken.None).WaitAsync(Patience);
            });
            for (int i = 0; i < 2000; i++) Assert.Equal(Frames.Pattern(i * 7 % 5000, i), await ReceiveAsync(client, WebSocketMessageType.Binary));
            await sending.WaitAsync(Patience);
            await CloseAsync(client);
        })).WaitAsync(Patience);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_peer_that_does_not_read_holds_up_its_sender_alone_and_gets_everything_in_the_end(TransportKind kind)
    {
        const int Size = 100_000, Count = 300;
        var blocked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        long most = 0;
        var handler = new PullHandler(async connection =>
        {
            byte[] payload = new byte[Size];
            for (int i = 0; i < Count; i++)
            {
                Frames.Pattern(Size, i).CopyTo(payload, 0);
                var send = connection.SendBinaryAsync(payload);
                if (!send.IsCompleted) blocked.TrySetResult();
                await send;
                payload.AsSpan().Fill(0xEE); // ours again
                most = Math.Max(most, connection.QueuedBytes);
            }
        });
        await using var harness = await StartAsync(kind, options => (options.Loops, options.Limits.SendQueueBytes) = (1, 250_000), ("/flood", handler), ("/echo", LambdaHandler.Echo()));
        var slow = await harness.OpenAsync("/flood");
        await blocked.Task.WaitAsync(Patience);
        var other = await harness.ConnectAsync();
        await EchoAsync(other, Text(1000), WebSocketMessageType.Text);
        await CloseAsync(other);
        for (int i = 0; i < Count; i++)
        {
            var (opcode, payload) = await slow.FrameAsync();
            Assert.Equal(Opcode.Binary, opcode);
            Assert.True(payload.AsSpan().SequenceEqual(Frames.Pattern(Size, i)), $"message {i} is not what was sent");
        }
        Assert.Equal("Close:1000", await slow.NextAsync());
        Assert.InRange(most, 1, 250_000 + Size + 100);
        await slow.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Clients_that_die_in_every_way_leave_nothing_behind(TransportKind kind)
    {
        int ended = 0;
        var handler = new LambdaHandler((c, m) => c.SendAsync(m)) { OnClosed = _ => { Interlocked.Increment(ref ended); return default; } };
        await using var harness = await StartAsync(kind, null, ("/echo", handler));
        const int Count = 120;
        await Task.WhenAll(Enumerable.Range(0, Count).Select(async number =>
        {
            byte[] message = Frames.Binary(S, Frames.Pattern(50_000));
            using var socket = await harness.KnockAsync("/echo", number % 2 == 0 ? message : message[..20_000]);
            byte[] buffer = new byte[20];
            await socket.ReceiveAsync(buffer.AsMemory()).AsTask().WaitAsync(Patience);
            Assert.StartsWith("HTTP/1.1 101", Encoding.ASCII.GetString(buffer), StringComparison.Ordinal);
            if (number % 3 == 0) socket.LingerState = new LingerOption(true, 0); // a reset
            if (number % 3 == 1) socket.Shutdown(SocketShutdown.Send);
            if (number % 6 == 1) await ReadToEndAsync(socket);
        })).WaitAsync(Patience);
        await WebSocketServerTests.Until(() => Volatile.Read(ref ended) == Count && harness.Server.Connections == 0);
        Assert.Equal(Count, harness.Log.Endings.Count());
        Assert.All(harness.Log.Endings, ending => Assert.Contains("PeerVanished", ending, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_peer_that_ends_its_side_behind_its_close_gets_all_answers_and_a_clean_end(TransportKind kind)
    {
        await using var harness = await StartAsync(kind);
        byte[] message = Frames.Pattern(300_000);
        using var socket = await harness.KnockAsync("/echo", Frames.Text(S, "one"u8), Frames.Binary(S, message), Frames.Close(S, 1000, "bye"u8));
        socket.Shutdown(SocketShutdown.Send);
        byte[] all = await ReadToEndAsync(socket);
        int end = all.AsSpan().IndexOf("\r\n\r\n"u8) + 4;
        byte[] expected = [.. Frames.Text(EndpointRole.Client, "one"u8), .. Frames.Binary(EndpointRole.Client, message), 0x88, 2, 0x03, 0xE8];
        Assert.Equal(expected, all[end..]);
        await WebSocketServerTests.Until(() => harness.Log.Endings.Any());
        Assert.Contains("ClosedByPeer", harness.Log.Endings.Single(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_peer_that_breaks_a_rule_while_it_still_sends_gets_its_close_code(TransportKind kind)
    {
        await using var harness = await StartAsync(kind, options => options.Limits.MaxMessageBytes = options.Limits.MaxFrameBytes = 100_000);
        // The rest of the message must not provoke a reset that overtakes the close frame.
        byte[] frame = Frames.Binary(S, Frames.Pattern(400_000));
        using var socket = await harness.KnockAsync("/echo", frame);
        socket.Shutdown(SocketShutdown.Send);
        byte[] all = await ReadToEndAsync(socket);
        Assert.Equal([0x88, 2, 0x03, 0xF1], all[(all.AsSpan().IndexOf("\r\n\r\n"u8) + 4)..]);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_Unix_domain_socket_serves_and_leaves_no_file(TransportKind kind)
    {
        string path = Path.Combine(Path.GetTempPath(), $"fastchat-{Guid.NewGuid():N}.sock");
        await using (var harness = await StartAsync(kind, options => options.EndPoint = new UnixDomainSocketEndPoint(path)))
        {
            Assert.Equal(0, harness.Server.Port);
            using var handler = new SocketsHttpHandler
            {
                ConnectCallback = async (_, token) =>
                {
                    var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), token);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            };
            using var invoker = new HttpMessageInvoker(handler);
            var client = await harness.ConnectAsync(invoker: invoker);
            foreach (int size in (int[])[0, 100, 1 << 20]) await EchoAsync(client, Frames.Pattern(size), WebSocketMessageType.Binary);
            await CloseAsync(client);
        }
        Assert.False(File.Exists(path));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Connections_are_limited_by_address(TransportKind kind)
    {
        await using var harness = await StartAsync(kind, options => options.MaxConnectionsPerAddress = 2);
        var first = await harness.ConnectAsync();
        var second = await harness.ConnectAsync();
        using (var third = await harness.KnockAsync()) Assert.StartsWith("HTTP/1.1 503 ", Encoding.ASCII.GetString(await ReadToEndAsync(third)), StringComparison.Ordinal);
        await CloseAsync(first);
        await WebSocketServerTests.Until(() => harness.Server.Connections == 1);
        var fourth = await harness.ConnectAsync();
        await EchoAsync(fourth, Text(10), WebSocketMessageType.Text);
        await CloseAsync(fourth);
        await CloseAsync(second);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_prepared_upgrade_counts_for_its_address_and_is_taken_off_again(TransportKind kind)
    {
        await using var harness = await StartAsync(kind, options => options.MaxConnectionsPerAddress = 2);
        var first = await harness.ConnectAsync();
        var second = await harness.ConnectAsync();
        // As over HTTP/2 in front: the connection comes from elsewhere, its address is the same.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var far = await FastChat.Transport.SocketTransport.ConnectAsync(listener.LocalEndpoint);
        using var accepted = await listener.AcceptSocketAsync();
        var upgrade = harness.Server.Prepare(FastChat.Handshake.WebSocketRequest.Create("/echo", []))!;
        var running = upgrade.RunAsync(far);
        Assert.Equal(3, harness.Server.Connections);
        accepted.Close();
        await running.WaitAsync(Patience);
        Assert.Equal(2, harness.Server.Connections);
        using (var third = await harness.KnockAsync()) Assert.StartsWith("HTTP/1.1 503 ", Encoding.ASCII.GetString(await ReadToEndAsync(third)), StringComparison.Ordinal);
        await CloseAsync(first);
        await CloseAsync(second);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Draining_closes_open_connections_with_1001(TransportKind kind)
    {
        await using var harness = await StartAsync(kind);
        var clients = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => harness.ConnectAsync()));
        var draining = harness.Server.DrainAsync(TimeSpan.FromSeconds(30));
        foreach (var client in clients)
        {
            var result = await client.ReceiveAsync(new byte[10], CancellationToken.None).WaitAsync(Patience);
            Assert.Equal((WebSocketMessageType.Close, WebSocketCloseStatus.EndpointUnavailable), (result.MessageType, result.CloseStatus));
            await client.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, null, CancellationToken.None).WaitAsync(Patience);
            client.Dispose();
        }
        Assert.Equal(0, await draining.WaitAsync(Patience));
        await Assert.ThrowsAsync<SocketException>(() => harness.KnockAsync());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task TLS_serves_the_same(TransportKind kind)
    {
        await using var harness = await StartAsync(kind, options => options.Tls = TestCertificate.Server());
        using var client = new ClientWebSocket();
        client.Options.Proxy = null;
        client.Options.RemoteCertificateValidationCallback = (_, certificate, chain, errors) => TestCertificate.Client().RemoteCertificateValidationCallback!(client, certificate, chain, errors);
        await client.ConnectAsync(new Uri($"wss://localhost:{harness.Server.Port}/echo"), CancellationToken.None).WaitAsync(Patience);
        foreach (int size in (int[])[0, 5, 70_000, 1 << 20]) await EchoAsync(client, Frames.Pattern(size), WebSocketMessageType.Binary);
        await CloseAsync(client);
    }
}
