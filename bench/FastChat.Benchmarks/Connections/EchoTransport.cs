using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using FastChat.Transport;
using FastChat.Transport.Epoll;

namespace FastChat.Benchmarks.Connections;

/// <summary>Over what an echo travels.</summary>
public enum EchoTransport
{
    InMemory,
    Sockets,
    Epoll,
}

/// <summary>The client's end of one connection, blocking and without allocations of its own.</summary>
internal abstract class EchoClient : IAsyncDisposable
{
    private const string Headers = "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

    /// <summary>Those that this machine has; without memory, whose ends meet on the thread pool: its bookkeeping would be measured along.</summary>
    public static IEnumerable<EchoTransport> Transports =>
        Enum.GetValues<EchoTransport>().Where(t => t == EchoTransport.Sockets || (t == EchoTransport.Epoll && EpollListener.IsSupported));

    /// <summary>Starts a server with the mapped path, connects to it and shakes hands. The server is disposed of with the client.</summary>
    public static async Task<EchoClient> OpenAsync(EchoTransport transport, string path, Action<WebSocketServer> map)
    {
        var options = new WebSocketServerOptions();
        var listener = transport == EchoTransport.InMemory ? new InMemoryListener() : null;
        if (transport == EchoTransport.Epoll) options.Transport = TransportKind.Epoll;
        else options.Listener = (TransportListener?)listener ?? new SocketTransportListener(options.EndPoint);
        var server = new WebSocketServer(options);
        map(server);
        await server.StartAsync();
        EchoClient client = listener is not null ? new OverMemory(listener.Connect(), server) : new OverSocket((IPEndPoint)server.EndPoint, server);
        client.Write(Encoding.ASCII.GetBytes($"GET /{path} HTTP/1.1\r\n{Headers}"));
        client.ReadHead();
        return client;
    }

    public abstract void Write(ReadOnlySpan<byte> bytes);

    /// <summary>Reads and drops exactly so many bytes.</summary>
    public abstract void Read(int count);

    public abstract ValueTask DisposeAsync();

    /// <summary>Reads up to and with the empty line of the answer to the upgrade.</summary>
    protected abstract void ReadHead();

    private sealed class OverMemory(TransportConnection connection, WebSocketServer server) : EchoClient
    {
        public override void Write(ReadOnlySpan<byte> bytes)
        {
            while (!bytes.IsEmpty)
            {
                var room = connection.Output.GetSpan();
                int n = Math.Min(room.Length, bytes.Length);
                bytes[..n].CopyTo(room);
                connection.Output.Advance(n);
                bytes = bytes[n..];
            }
            var flush = connection.Output.FlushAsync();
            for (int i = 0; !flush.IsCompleted; i++) Spin(i, "The server does not read.");
            _ = flush.GetAwaiter().GetResult();
        }

        public override void Read(int count)
        {
            while (count > 0)
            {
                var result = Await();
                var taken = result.Buffer.Slice(0, Math.Min(count, result.Buffer.Length));
                count -= (int)taken.Length;
                connection.Input.AdvanceTo(taken.End);
            }
        }

        protected override void ReadHead()
        {
            var result = Await();
            if (!result.Buffer.FirstSpan.StartsWith("HTTP/1.1 101"u8)) throw new InvalidOperationException("The server refused the upgrade.");
            connection.Input.AdvanceTo(result.Buffer.End);
        }

        /// <summary>The server answers on the thread pool: looks until it has, which allocates nothing.</summary>
        private ReadResult Await()
        {
            ReadResult result;
            for (int i = 0; !connection.Input.TryRead(out result); i++) Spin(i, "The server did not answer.");
            return result;
        }

        private static void Spin(int turn, string failure)
        {
            if (turn > 100_000_000) throw new InvalidOperationException(failure);
            if (turn % 64 == 63) Thread.Yield();
            else Thread.SpinWait(8);
        }

        public override async ValueTask DisposeAsync()
        {
            connection.Abort();
            await connection.DisposeAsync();
            await server.DisposeAsync();
        }
    }

    private sealed class OverSocket : EchoClient
    {
        private readonly WebSocketServer _server;
        private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 30_000, SendTimeout = 30_000 };
        private readonly byte[] _buffer = new byte[64 * 1024];

        public OverSocket(IPEndPoint server, WebSocketServer owner)
        {
            _server = owner;
            _socket.Connect(server);
        }

        public override void Write(ReadOnlySpan<byte> bytes) => _socket.Send(bytes);

        public override void Read(int count)
        {
            while (count > 0)
            {
                int n = _socket.Receive(_buffer.AsSpan(0, Math.Min(count, _buffer.Length)));
                if (n == 0) throw new InvalidOperationException("The server closed the connection.");
                count -= n;
            }
        }

        protected override void ReadHead()
        {
            int length = 0;
            while (_buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
            {
                int n = _socket.Receive(_buffer.AsSpan(length));
                length += n > 0 ? n : throw new InvalidOperationException("The server closed the connection.");
            }
            if (!_buffer.AsSpan().StartsWith("HTTP/1.1 101"u8)) throw new InvalidOperationException("The server refused the upgrade.");
        }

        public override async ValueTask DisposeAsync()
        {
            _socket.Dispose();
            await _server.DisposeAsync();
        }
    }
}
