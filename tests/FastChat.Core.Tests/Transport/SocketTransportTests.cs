using System.Net;
using System.Net.Sockets;
using FastChat.TestKit;
using FastChat.Transport;
using Microsoft.Extensions.Logging;

namespace FastChat.Core.Tests.Transport;

public sealed class InMemoryTransportContractTests : StrictTransportContractTests
{
    protected override TransportListener CreateListener() => new InMemoryListener(pool: Pool);

    protected override Task<TransportConnection> ConnectToAsync(TransportListener listener) =>
        Task.Run(((InMemoryListener)listener).Connect);
}

public sealed class SocketTcpContractTests : StrictTransportContractTests
{
    protected override TransportListener CreateListener() =>
        new SocketTransportListener(new IPEndPoint(IPAddress.Loopback, 0), new SocketTransportOptions { Pool = Pool });
}

public sealed class SocketTcpInlineContractTests : StrictTransportContractTests
{
    protected override TransportListener CreateListener() =>
        new SocketTransportListener(new IPEndPoint(IPAddress.Loopback, 0), new SocketTransportOptions { Pool = Pool });

    protected override void OnAccepted(TransportConnection connection) => connection.InlineContinuations = true;
}

public sealed class SocketUnixContractTests : StrictTransportContractTests
{
    protected override TransportListener CreateListener() =>
        new SocketTransportListener(new UnixDomainSocketEndPoint(UnixSocketPath.New()), new SocketTransportOptions { Pool = Pool });
}

internal static class UnixSocketPath
{
    // Short: the address holds about 100 bytes.
    public static string New() => Path.Combine(Path.GetTempPath(), $"fc-{Guid.NewGuid():N}.sock");
}

public sealed class SocketTransportListenerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_restarted_server_binds_a_port_whose_connections_are_in_TIME_WAIT()
    {
        var first = new SocketTransportListener(new IPEndPoint(IPAddress.Loopback, 0));
        var accepted = new TaskCompletionSource<TransportConnection>(TaskCreationOptions.RunContinuationsAsynchronously);
        first.Start(accepted.SetResult);
        var client = await SocketTransport.ConnectAsync(first.EndPoint).WaitAsync(Patience);
        var server = await accepted.Task.WaitAsync(Patience);
        // The end that closes first is the one that waits: the server's.
        await server.ShutdownAsync().AsTask().WaitAsync(Patience);
        Assert.True((await client.Input.ReadAsync().AsTask().WaitAsync(Patience)).IsCompleted);
        await client.DisposeAsync().AsTask().WaitAsync(Patience);
        Assert.True((await server.Input.ReadAsync().AsTask().WaitAsync(Patience)).IsCompleted);
        await server.DisposeAsync().AsTask().WaitAsync(Patience);
        await first.DisposeAsync().AsTask().WaitAsync(Patience);

        await using var second = new SocketTransportListener(first.EndPoint);
        second.Start(_ => { });
        await (await SocketTransport.ConnectAsync(second.EndPoint).WaitAsync(Patience)).DisposeAsync().AsTask().WaitAsync(Patience);
    }

    [Fact]
    public async Task Two_listeners_cannot_share_a_port()
    {
        await using var first = new SocketTransportListener(new IPEndPoint(IPAddress.Loopback, 0));
        first.Start(_ => { });
        await using var second = new SocketTransportListener(first.EndPoint);
        Assert.Equal(SocketError.AddressAlreadyInUse, Assert.Throws<SocketException>(() => second.Start(_ => { })).SocketErrorCode);
    }

    [Fact]
    public async Task IPv6Any_takes_both_families_and_no_delay_is_set()
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "This machine has no IPv6.");
        var accepted = System.Threading.Channels.Channel.CreateUnbounded<TransportConnection>();
        await using var listener = new SocketTransportListener(new IPEndPoint(IPAddress.IPv6Any, 0));
        listener.Start(c => accepted.Writer.TryWrite(c));
        int port = ((IPEndPoint)listener.EndPoint).Port;
        foreach (var address in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
        {
            await using var client = await SocketTransport.ConnectAsync(new IPEndPoint(address, port)).WaitAsync(Patience);
            await using var server = await accepted.Reader.ReadAsync().AsTask().WaitAsync(Patience);
            Assert.True(((SocketTransportConnection)server).Socket.NoDelay);
            Assert.Equal(((IPEndPoint)client.LocalEndPoint!).Port, ((IPEndPoint)server.RemoteEndPoint!).Port);
        }
    }

    [Fact]
    public async Task Accepts_that_fail_are_told_once_and_tried_again_after_a_pause()
    {
        var time = new FakeTimeProvider();
        var log = new CountingLogger();
        int attempts = 0;
        var accepted = new TaskCompletionSource<TransportConnection>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var listener = new SocketTransportListener(new IPEndPoint(IPAddress.Loopback, 0), new SocketTransportOptions { TimeProvider = time }, log)
        {
            Accept = (socket, cancellationToken) => Interlocked.Increment(ref attempts) <= 3
                ? throw new SocketException((int)SocketError.TooManyOpenSockets)
                : socket.AcceptAsync(cancellationToken),
        };
        listener.Start(accepted.SetResult);
        await using var client = await SocketTransport.ConnectAsync(listener.EndPoint).WaitAsync(Patience);
        var deadline = Task.Delay(Patience);
        while (!accepted.Task.IsCompleted && !deadline.IsCompleted)
        {
            if (time.ArmedTimers > 0) time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        await using var server = await accepted.Task.WaitAsync(Patience);
        Assert.Equal((1, true), (log.Warnings, attempts >= 4));
    }

    [Fact]
    public async Task Failed_accepts_do_not_spin()
    {
        int attempts = 0;
        var failed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var time = new FakeTimeProvider();
        var listener = new SocketTransportListener(new IPEndPoint(IPAddress.Loopback, 0), new SocketTransportOptions { TimeProvider = time })
        {
            Accept = (_, _) =>
            {
                Interlocked.Increment(ref attempts);
                failed.TrySetResult();
                throw new SocketException((int)SocketError.TooManyOpenSockets);
            },
        };
        listener.Start(_ => { });
        await failed.Task.WaitAsync(Patience);
        for (int i = 0; i < 100; i++) await Task.Yield();
        Assert.Equal(1, Volatile.Read(ref attempts));
        await listener.DisposeAsync().AsTask().WaitAsync(Patience);
        Assert.Equal(1, Volatile.Read(ref attempts));
    }

    [Fact]
    public async Task A_handler_that_throws_loses_its_connection_and_nothing_else()
    {
        int calls = 0;
        var log = new CountingLogger();
        await using var listener = new SocketTransportListener(new IPEndPoint(IPAddress.Loopback, 0), logger: log);
        listener.Start(_ =>
        {
            Interlocked.Increment(ref calls);
            throw new InvalidOperationException("A test's handler.");
        });
        for (int i = 0; i < 2; i++)
        {
            try
            {
                await using var client = await SocketTransport.ConnectAsync(listener.EndPoint).WaitAsync(Patience);
                await Assert.ThrowsAsync<IOException>(() => client.Input.ReadAsync().AsTask().WaitAsync(Patience));
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.NotConnected)
            {
                // Dropped before the connect was through.
            }
        }
        Assert.Equal(2, calls);
        Assert.Equal(2, log.Errors);
    }

    [Fact]
    public async Task The_file_of_a_Unix_socket_goes_with_its_listener_and_a_stale_one_is_replaced()
    {
        string path = UnixSocketPath.New();
        var address = new UnixDomainSocketEndPoint(path);
        var listener = new SocketTransportListener(address);
        listener.Start(_ => { });
        Assert.True(File.Exists(path));
        await using (var second = new SocketTransportListener(address))
            Assert.Equal(SocketError.AddressAlreadyInUse, Assert.Throws<SocketException>(() => second.Start(_ => { })).SocketErrorCode);
        Assert.True(File.Exists(path));
        await listener.StopAcceptingAsync().AsTask().WaitAsync(Patience);
        Assert.False(File.Exists(path));
        await listener.DisposeAsync().AsTask().WaitAsync(Patience);

        // A process that was killed leaves the file; a hard link stands for it, since a socket removes its own name when it is closed.
        string stale = UnixSocketPath.New();
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(address);
            File.Move(path, stale);
        }
        Assert.True(File.Exists(stale));
        var replacing = new SocketTransportListener(new UnixDomainSocketEndPoint(stale));
        replacing.Start(_ => { });
        await (await SocketTransport.ConnectAsync(replacing.EndPoint).WaitAsync(Patience)).DisposeAsync().AsTask().WaitAsync(Patience);
        await replacing.DisposeAsync().AsTask().WaitAsync(Patience);
        Assert.False(File.Exists(stale));
    }

    [Fact]
    public async Task A_file_that_is_no_socket_is_never_removed()
    {
        string path = UnixSocketPath.New();
        await File.WriteAllTextAsync(path, "somebody's letter");
        await using (var listener = new SocketTransportListener(new UnixDomainSocketEndPoint(path)))
            Assert.Throws<SocketException>(() => listener.Start(_ => { }));
        Assert.Equal("somebody's letter", await File.ReadAllTextAsync(path));
        File.Delete(path);
    }

    private sealed class CountingLogger : ILogger
    {
        private int _warnings;
        private int _errors;

        public int Warnings => Volatile.Read(ref _warnings);

        public int Errors => Volatile.Read(ref _errors);

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Warning) Interlocked.Increment(ref _warnings);
            if (logLevel == LogLevel.Error) Interlocked.Increment(ref _errors);
        }
    }
}

public sealed class SocketTransportConnectTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void Addresses_of_both_families_alternate()
    {
        IPAddress[] addresses = [IPAddress.Parse("::1"), IPAddress.Parse("::2"), IPAddress.Parse("::3"), IPAddress.Parse("127.0.0.1")];
        Assert.Equal(["[::1]:9", "127.0.0.1:9", "[::2]:9", "[::3]:9"], SocketTransport.Interleave(addresses, 9).Select(e => e.ToString()));
        Assert.Equal(["127.0.0.1:9"], SocketTransport.Interleave(addresses[3..], 9).Select(e => e.ToString()));
    }

    [Fact]
    public async Task A_name_and_a_uri_connect_whichever_family_listens()
    {
        await using var listener = new SocketTransportListener(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Start(_ => { });
        int port = ((IPEndPoint)listener.EndPoint).Port;
        await (await SocketTransport.ConnectAsync(new DnsEndPoint("localhost", port)).WaitAsync(Patience)).DisposeAsync().AsTask().WaitAsync(Patience);
        await (await SocketTransport.ConnectAsync(new Uri($"ws://127.0.0.1:{port}/")).WaitAsync(Patience)).DisposeAsync().AsTask().WaitAsync(Patience);
    }

    [Fact]
    public async Task The_next_address_is_tried_when_one_fails_and_the_first_error_is_told_when_all_do()
    {
        await using var listener = new SocketTransportListener(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Start(_ => { });
        var refused = new IPEndPoint(IPAddress.Loopback, FreePort());
        // The clock stands still: only a failure can start the next attempt.
        using (await SocketTransport.ConnectToAnyAsync([refused, listener.EndPoint], new FakeTimeProvider(), default).WaitAsync(Patience))
        {
        }
        var error = await Assert.ThrowsAsync<SocketException>(() =>
            SocketTransport.ConnectToAnyAsync([refused, refused], new FakeTimeProvider(), default).WaitAsync(Patience));
        Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
    }

    [Fact]
    public async Task Cancelling_a_connection_attempt_ends_it()
    {
        // A backlog that is full: the kernel leaves further attempts without an answer.
        using var full = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        using var cancel = new CancellationTokenSource();
        var attempts = Enumerable.Range(0, 8).Select(_ => SocketTransport.ConnectAsync(full.LocalEndPoint!, null, cancel.Token)).ToArray();
        await cancel.CancelAsync();
        int canceled = 0;
        foreach (var attempt in attempts)
        {
            try
            {
                await (await attempt.WaitAsync(Patience)).DisposeAsync().AsTask().WaitAsync(Patience);
            }
            catch (OperationCanceledException)
            {
                canceled++;
            }
        }
        Assert.True(canceled > 0);
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
