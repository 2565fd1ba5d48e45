using System.Net;
using System.Net.Sockets;
using System.Text;
using FastChat.Transport;
using FastChat.Transport.Epoll;

namespace FastChat.Benchmarks.Support;

/// <summary>The far ends of many connections: they upgrade, and then take and count whatever comes, as cheaply as it can be done.</summary>
internal abstract class Drain : IAsyncDisposable
{
    protected static readonly byte[] Upgrade = Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");

    private long _received;

    /// <summary>Bytes that have come, answers to upgrades included.</summary>
    public long Received => Volatile.Read(ref _received);

    /// <summary>Waits until so many bytes have come in all.</summary>
    public void WaitFor(long bytes)
    {
        long limit = Environment.TickCount64 + 30_000;
        var spin = new SpinWait();
        while (Received < bytes)
        {
            spin.SpinOnce(sleep1Threshold: -1);
            if (Environment.TickCount64 > limit) throw new TimeoutException($"{bytes - Received} bytes did not arrive.");
        }
    }

    /// <summary>Waits until nothing has come for a while; says how many bytes that were.</summary>
    public async Task<long> SettleAsync()
    {
        long before;
        do
        {
            before = Received;
            await Task.Delay(TimeSpan.FromMilliseconds(200));
        }
        while (Received != before);
        return before;
    }

    public abstract ValueTask DisposeAsync();

    protected void Count(long bytes) => Interlocked.Add(ref _received, bytes);
}

/// <summary>In memory: drained on the thread that writes.</summary>
internal sealed class MemoryDrain : Drain
{
    private readonly List<TransportConnection> _connections = [];

    public MemoryDrain(InMemoryListener listener, int count)
    {
        for (int i = 0; i < count; i++)
        {
            var connection = listener.Connect();
            _connections.Add(connection);
            _ = RunAsync(connection);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
        {
            connection.Abort();
            await connection.DisposeAsync();
        }
    }

    private async Task RunAsync(TransportConnection connection)
    {
        try
        {
            await connection.Output.WriteAsync(Upgrade);
            while (true)
            {
                var result = await connection.Input.ReadAsync();
                Count(result.Buffer.Length);
                connection.Input.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted) return;
            }
        }
        catch (IOException)
        {
        }
    }
}

/// <summary>Real sockets on loopback, drained by a thread of their own with epoll (Linux).</summary>
internal sealed unsafe class SocketDrain : Drain
{
    private readonly Socket[] _sockets;
    private readonly Thread _thread;
    private readonly int _epoll = Libc.CreateEpoll();
    private volatile bool _stopped;

    public SocketDrain(int port, int count)
    {
        _sockets = new Socket[count];
        for (int i = 0; i < count; i++)
        {
            _sockets[i] = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _sockets[i].Connect(IPAddress.Loopback, port);
            _sockets[i].Send(Upgrade);
            if (Libc.Control(_epoll, Libc.EpollCtlAdd, (int)_sockets[i].Handle, Libc.EpollIn, (ulong)_sockets[i].Handle) < 0) throw new InvalidOperationException($"epoll_ctl failed: {Libc.Errno}.");
        }
        _thread = new Thread(Run) { IsBackground = true, Name = "drain" };
        _thread.Start();
    }

    public override ValueTask DisposeAsync()
    {
        _stopped = true;
        _thread.Join();
        foreach (var socket in _sockets) socket.Dispose();
        _ = Libc.Close(_epoll);
        return default;
    }

    private void Run()
    {
        const int MaxEvents = 256;
        byte* events = stackalloc byte[MaxEvents * Libc.EventSize];
        byte[] buffer = GC.AllocateUninitializedArray<byte>(64 * 1024, pinned: true);
        fixed (byte* target = buffer)
        {
            while (!_stopped)
            {
                int ready = Libc.Wait(_epoll, events, MaxEvents, 100);
                for (int i = 0; i < ready; i++)
                {
                    int descriptor = (int)*(ulong*)(events + i * Libc.EventSize + Libc.EventDataOffset);
                    nint n = Libc.Receive(descriptor, target, (nuint)buffer.Length);
                    if (n > 0) Count(n);
                    else if (n == 0) _ = Libc.Control(_epoll, Libc.EpollCtlDel, descriptor, 0, 0);
                }
            }
        }
    }
}
