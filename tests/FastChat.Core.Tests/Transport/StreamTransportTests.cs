using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using FastChat.TestKit;
using FastChat.Transport;

namespace FastChat.Core.Tests.Transport;

public sealed class StreamContractTests : StrictTransportContractTests
{
    protected override TransportListener CreateListener() => new NetworkStreamListener(Pool);

    protected override async Task<TransportConnection> ConnectToAsync(TransportListener listener)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(listener.EndPoint);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        return new StreamTransportConnection(new NetworkStream(socket, ownsSocket: true), Pool);
    }

    /// <summary>Connections as somebody else's server would hand them over: network streams.</summary>
    private sealed class NetworkStreamListener(TrackingArrayPool pool) : TransportListener
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly List<TransportConnection> _open = [];
        private Task _accepting = Task.CompletedTask;

        public override EndPoint EndPoint => _listener.LocalEndpoint;

        public override void Start(Action<TransportConnection> onAccepted)
        {
            _listener.Start();
            _accepting = AcceptAsync(onAccepted);
        }

        public override async ValueTask StopAcceptingAsync()
        {
            _listener.Stop();
            await _accepting;
        }

        public override async ValueTask DisposeAsync()
        {
            await StopAcceptingAsync();
            foreach (var connection in _open) connection.Abort();
        }

        private async Task AcceptAsync(Action<TransportConnection> onAccepted)
        {
            while (true)
            {
                Socket socket;
                try
                {
                    socket = await _listener.AcceptSocketAsync();
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
                {
                    return; // stopped, while it waited or between two
                }
                var connection = new StreamTransportConnection(new NetworkStream(socket, ownsSocket: true), pool);
                _open.Add(connection);
                onAccepted(connection);
            }
        }
    }
}

public abstract class TlsContractTests : StrictTransportContractTests
{
    protected abstract TransportListener CreateInnerListener();

    protected override TransportListener CreateListener() =>
        new TlsTransportListener(CreateInnerListener(), new TlsTransportOptions { Authentication = TestCertificate.Server(), Pool = Pool });

    protected override async Task<TransportConnection> ConnectToAsync(TransportListener listener) =>
        await TlsTransport.ConnectAsync(await ConnectInnerAsync(listener), TestCertificate.Client(), Pool);

    protected virtual Task<TransportConnection> ConnectInnerAsync(TransportListener listener) => base.ConnectToAsync(listener);
}

public sealed class TlsOverSocketsContractTests : TlsContractTests
{
    protected override TransportListener CreateInnerListener() =>
        new SocketTransportListener(new IPEndPoint(IPAddress.Loopback, 0), new SocketTransportOptions { Pool = Pool });
}

public sealed class TlsInMemoryContractTests : TlsContractTests
{
    private InMemoryListener? _inner;

    protected override TransportListener CreateInnerListener() => _inner = new InMemoryListener(pool: Pool);

    protected override Task<TransportConnection> ConnectInnerAsync(TransportListener listener) => Task.Run(_inner!.Connect);
}

public sealed class TlsTransportTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly InMemoryListener _inner = new();
    private readonly FakeTimeProvider _time = new();
    private readonly System.Threading.Channels.Channel<TransportConnection> _accepted =
        System.Threading.Channels.Channel.CreateUnbounded<TransportConnection>();
    private readonly TlsTransportListener _listener;
    private readonly TlsTransportOptions _options;

    public TlsTransportTests()
    {
        _options = new TlsTransportOptions { Authentication = TestCertificate.Server(), TimeProvider = _time };
        _listener = new TlsTransportListener(_inner, _options);
    }

    public ValueTask InitializeAsync()
    {
        _listener.Start(c => _accepted.Writer.TryWrite(c));
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        while (_accepted.Reader.TryRead(out var connection)) await connection.DisposeAsync().AsTask().WaitAsync(Patience);
        await _listener.DisposeAsync().AsTask().WaitAsync(Patience);
    }

    [Fact]
    public async Task Http_1_1_is_agreed_on_by_default()
    {
        await using var client = (TlsConnection)await TlsTransport.ConnectAsync(_inner.Connect(), TestCertificate.Client()).WaitAsync(Patience);
        Assert.Equal(SslApplicationProtocol.Http11, client.Tls.NegotiatedApplicationProtocol);
    }

    [Fact]
    public async Task A_client_that_does_not_speak_TLS_is_dropped_and_others_are_served()
    {
        await using (var client = _inner.Connect())
        {
            await client.Output.WriteAsync("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"u8.ToArray()).AsTask().WaitAsync(Patience);
            await DroppedAsync(client);
        }
        Assert.Equal(1, _listener.FailedHandshakes);
        await using var other = await TlsTransport.ConnectAsync(_inner.Connect(), TestCertificate.Client()).WaitAsync(Patience);
        await using var server = await _accepted.Reader.ReadAsync().AsTask().WaitAsync(Patience);
    }

    [Fact]
    public async Task A_client_that_says_nothing_is_dropped_after_the_time_limit()
    {
        await using var client = _inner.Connect();
        await ArmedAsync();
        _time.Advance(_options.HandshakeTimeout - TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, _listener.FailedHandshakes);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await DroppedAsync(client);
        Assert.Equal(1, _listener.FailedHandshakes);
    }

    [Fact]
    public async Task One_handshake_too_many_is_dropped_at_once()
    {
        _options.MaxPendingHandshakes = 1;
        await using var first = _inner.Connect();
        await ArmedAsync();
        await using var second = _inner.Connect();
        await DroppedAsync(second);
        Assert.Equal(1, _listener.FailedHandshakes);
        await using var tls = await TlsTransport.ConnectAsync(first, TestCertificate.Client()).WaitAsync(Patience);
        await using var server = await _accepted.Reader.ReadAsync().AsTask().WaitAsync(Patience);
    }

    [Fact]
    public async Task Disposing_the_listener_ends_handshakes_under_way()
    {
        await using var client = _inner.Connect();
        await ArmedAsync();
        await _listener.DisposeAsync().AsTask().WaitAsync(Patience);
        await DroppedAsync(client);
    }

    [Fact]
    public async Task A_client_refuses_a_certificate_it_does_not_trust_and_can_give_up()
    {
        var distrustful = TestCertificate.Client();
        distrustful.RemoteCertificateValidationCallback = null;
        await Assert.ThrowsAsync<AuthenticationException>(() => TlsTransport.ConnectAsync(_inner.Connect(), distrustful).WaitAsync(Patience));

        await using var silent = new InMemoryListener();
        silent.Start(_ => { });
        using var cancel = new CancellationTokenSource();
        var connecting = TlsTransport.ConnectAsync(silent.Connect(), TestCertificate.Client(), cancellationToken: cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_handler_that_throws_loses_its_connection_only()
    {
        var inner = new InMemoryListener();
        await using var listener = new TlsTransportListener(inner, new TlsTransportOptions { Authentication = TestCertificate.Server() });
        listener.Start(_ => throw new InvalidOperationException("A test's handler."));
        for (int i = 0; i < 2; i++)
        {
            try
            {
                await using var client = await TlsTransport.ConnectAsync(inner.Connect(), TestCertificate.Client()).WaitAsync(Patience);
                await Assert.ThrowsAsync<IOException>(() => client.Input.ReadAsync().AsTask().WaitAsync(Patience));
            }
            catch (IOException)
            {
                // Dropped before the client's side of the handshake was through.
            }
        }
    }

    /// <summary>Reads whatever alert comes until the connection ends.</summary>
    private static async Task DroppedAsync(TransportConnection client)
    {
        try
        {
            while (true)
            {
                var result = await client.Input.ReadAsync().AsTask().WaitAsync(Patience);
                client.Input.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted) return;
            }
        }
        catch (IOException)
        {
        }
    }

    /// <summary>Waits until a handshake's time limit runs.</summary>
    private async Task ArmedAsync()
    {
        var deadline = Task.Delay(Patience);
        while (_time.ArmedTimers == 0)
        {
            Assert.False(deadline.IsCompleted);
            await Task.Yield();
        }
    }
}
