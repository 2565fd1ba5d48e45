using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;

namespace FastChat.Transport;

/// <summary>A connected stream socket, TCP or Unix domain, on any platform.</summary>
/// <remarks>The socket is non-blocking and this object's own. All asynchronous operations hold at most a small block; see the two sides.</remarks>
internal sealed class SocketTransportConnection : TransportConnection
{
    private static readonly LingerOption Reset = new(true, 0);

    private readonly SocketReader _reader;
    private readonly SocketWriter _writer;
    private int _error;
    private int _disposed;
    private int _closed;

    public SocketTransportConnection(Socket socket, SocketTransportOptions options)
    {
        socket.Blocking = false;
        // Frames are whole messages and go out in one call: waiting to fill a packet only delays them. Unix domain sockets know no such delay.
        if (socket.ProtocolType == ProtocolType.Tcp) socket.NoDelay = true;
        Socket = socket;
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        _reader = new SocketReader(this, options);
        _writer = new SocketWriter(this, options);
    }

    public override PipeReader Input => _reader;

    public override PipeWriter Output => _writer;

    public override EndPoint? LocalEndPoint { get; }

    public override EndPoint? RemoteEndPoint { get; }

    /// <inheritdoc/>
    /// <remarks>
    /// Sockets are received on thread pool threads, which then go on with the read in either case, unless the process runs with
    /// DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS=1: then a continuation that is inline runs on the runtime's one socket thread, which saves
    /// a thread switch a message, and what blocks there blocks every socket of the process.
    /// </remarks>
    public override bool InlineContinuations
    {
        get => _reader.InlineContinuations;
        set => _reader.InlineContinuations = _writer.InlineContinuations = value;
    }

    internal Socket Socket { get; }

    /// <summary>The first error of either direction. The kernel reports a reset once, to whoever asks first; the other side finds it here.</summary>
    internal SocketError Error => (SocketError)Volatile.Read(ref _error);

    /// <summary>Runs when this connection is disposed; set once, before the connection is handed out.</summary>
    internal Action<SocketTransportConnection>? Disposed { get; set; }

    public override void Abort()
    {
        Interlocked.CompareExchange(ref _error, (int)SocketError.OperationAborted, (int)SocketError.Success);
        Close(reset: true);
    }

    public override async ValueTask ShutdownAsync()
    {
        _writer.Complete();
        await _writer.WhenIdleAsync();
        try
        {
            Socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The peer or an abort was first: there is nothing left to say.
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        _reader.Complete();
        _writer.Complete();
        Close(reset: false);
        // Closing ends both; then nobody uses a buffer of ours any more.
        await _reader.WhenIdleAsync();
        await _writer.WhenIdleAsync();
        _reader.Free();
        _writer.Free();
        Disposed?.Invoke(this);
    }

    /// <summary>Remembers an error, unless there was one before, and says what the callers of both sides get.</summary>
    internal IOException Break(SocketError error)
    {
        Interlocked.CompareExchange(ref _error, (int)error, (int)SocketError.Success);
        return Failure();
    }

    internal IOException Failure() => Error is var error && error == SocketError.OperationAborted
        ? new IOException("The connection was aborted.")
        : new IOException($"The connection was lost: {error}.", new SocketException((int)error));

    private void Close(bool reset)
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0) return;
        try
        {
            if (reset) Socket.LingerState = Reset;
            else Socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disconnected already.
        }
        Socket.Dispose();
    }
}
