using System.Net.Sockets;
using FastChat.Buffers;

namespace FastChat.Transport;

/// <summary>Receives from a non-blocking socket: a zero-byte receive waits for bytes, so that no buffer does.</summary>
internal sealed class SocketReader(SocketTransportConnection connection, SocketTransportOptions options)
    : NonBlockingReader(new ReceiveBuffer(options.Pool))
{
    private readonly Socket _socket = connection.Socket;
    private WaitArgs? _wait;

    /// <summary>Frees what waiting needed; no wait is in flight.</summary>
    public void Free() => _wait?.Dispose();

    protected override ReceiveStatus TryReceive(out Exception? error)
    {
        error = null;
        // A reset is told once: by the wait, where it saw it, and the receive after it would look like an orderly end.
        if (_wait is { SocketError: not SocketError.Success }) connection.Break(_wait.SocketError);
        if (connection.Error is SocketError.Success)
        {
            int received = 0;
            var result = SocketError.Success;
            try
            {
                received = _socket.Receive(Buffer.GetMemory().Span, SocketFlags.None, out result);
            }
            catch (ObjectDisposedException)
            {
                result = SocketError.OperationAborted;
            }
            Buffer.Commit(received);
            if (result == SocketError.WouldBlock) return ReceiveStatus.WouldBlock;
            if (received > 0) return ReceiveStatus.Received;
            if (result != SocketError.Success) connection.Break(result);
            else if (connection.Error == SocketError.Success) return ReceiveStatus.End;
        }
        error = connection.Failure();
        return ReceiveStatus.Failed;
    }

    protected override bool BeginWait()
    {
        _wait ??= new WaitArgs(this);
        try
        {
            return _socket.ReceiveAsync(_wait);
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    // true: no execution context flows; the awaiting method has its own.
    private sealed class WaitArgs : SocketAsyncEventArgs
    {
        private readonly SocketReader _reader;

        public WaitArgs(SocketReader reader) : base(true)
        {
            _reader = reader;
            SetBuffer(Memory<byte>.Empty);
        }

        protected override void OnCompleted(SocketAsyncEventArgs e) => _reader.OnReady();
    }
}
