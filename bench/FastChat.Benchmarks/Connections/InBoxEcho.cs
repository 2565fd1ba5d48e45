using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using FastChat.Transport;

namespace FastChat.Benchmarks.Connections;

/// <summary>The in-box WebSocket at the far end of the same transport, echoing: the baseline.</summary>
internal sealed class InBoxEcho : IAsyncDisposable
{
    private readonly Stream _client;
    private readonly WebSocket _server;
    private readonly Task _echo;
    private readonly byte[] _buffer = new byte[64 * 1024];

    public InBoxEcho(EchoTransport transport)
    {
        Stream server;
        if (transport == EchoTransport.InMemory)
        {
            var (near, far) = InMemoryTransport.CreatePair();
            (_client, server) = (new DuplexStream(near), new DuplexStream(far));
        }
        else
        {
            using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen();
            var near = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            near.Connect(listener.LocalEndPoint!);
            var far = listener.Accept();
            far.NoDelay = true;
            (_client, server) = (new NetworkStream(near, ownsSocket: true), new NetworkStream(far, ownsSocket: true));
        }
        _server = WebSocket.CreateFromStream(server, new WebSocketCreationOptions { IsServer = true, KeepAliveInterval = TimeSpan.Zero });
        _echo = EchoAsync();
    }

    public void RoundTrip(ReadOnlySpan<byte> frame, int answer)
    {
        _client.Write(frame);
        while (answer > 0) answer -= _client.Read(_buffer.AsSpan(0, Math.Min(answer, _buffer.Length)));
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        try
        {
            await _echo;
        }
        catch (Exception e) when (e is WebSocketException or IOException)
        {
        }
        _server.Dispose();
    }

    private async Task EchoAsync()
    {
        byte[] buffer = new byte[64 * 1024];
        while (true)
        {
            var part = await _server.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
            if (part.MessageType == WebSocketMessageType.Close) return;
            await _server.SendAsync(buffer.AsMemory(0, part.Count), part.MessageType, part.EndOfMessage, CancellationToken.None);
        }
    }

    /// <summary>A pair of pipes as the stream that the in-box WebSocket wants.</summary>
    private sealed class DuplexStream(TransportConnection connection) : Stream
    {
        private readonly Stream _in = connection.Input.AsStream();
        private readonly Stream _out = connection.Output.AsStream();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() => _out.Flush();

        public override int Read(byte[] buffer, int offset, int count) => _in.Read(buffer, offset, count);

        public override int Read(Span<byte> buffer) => _in.Read(buffer);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => _in.ReadAsync(buffer, cancellationToken);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => _out.Write(buffer, offset, count);

        public override void Write(ReadOnlySpan<byte> buffer) => _out.Write(buffer);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _out.WriteAsync(buffer, cancellationToken);

        public override async ValueTask DisposeAsync()
        {
            connection.Abort();
            await connection.DisposeAsync();
            await base.DisposeAsync();
        }
    }
}
