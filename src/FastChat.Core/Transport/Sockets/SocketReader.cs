using System.Net.Sockets;
using FastChat.Buffers;

namespace FastChat.Transport;

/// <summary>
/// Receives from a non-blocking socket. It waits with a few bytes of its own instead of a block from the pool, and receives what does not
/// fit there into a block once it is known to be there.
/// </summary>
/// <remarks>
/// Measured against waiting with no bytes at all, as the runtime suggests: on Unix that costs a peek more for every message, and every
/// stale readiness event (half of them, where large messages are sent) a wake-up and two more calls. Most small messages fit whole.
/// The bytes are the connection's for life, so that nothing of the pool's is ever in the hands of an operation in flight.
/// </remarks>
internal sealed class SocketReader(SocketTransportConnection connection, SocketTransportOptions options)
    : NonBlockingReader(new ReceiveBuffer(options.Pool))
{
    private const int WaitingRoom = 256;

    private readonly Socket _socket = connection.Socket;
    private WaitArgs? _wait;
    private bool _waited;

    /// <summary>Frees what waiting needed; no wait is in flight.</summary>
    public void Free() => _wait?.Dispose();

    protected override ReceiveStatus TryReceive(out Exception? error)
    {
        error = null;
        bool waited = _waited;
        _waited = false;
        // A reset is told once: by the wait, where it saw it, and the receive after it would look like an orderly end.
        if (waited && _wait!.SocketError != SocketError.Success) connection.Break(_wait.SocketError);
        int received = 0;
        if (connection.Error == SocketError.Success)
        {
            var result = waited ? Arrived(out received) : Receive(Buffer.GetMemory().Span, out received);
            Buffer.Commit(received);
            if (result == SocketError.WouldBlock) return ReceiveStatus.WouldBlock;
            if (result != SocketError.Success) connection.Break(result);
        }
        if (received > 0) return ReceiveStatus.Received;
        if (connection.Error == SocketError.Success) return ReceiveStatus.End;
        error = connection.Failure();
        return ReceiveStatus.Failed;
    }

    protected override bool BeginWait()
    {
        _wait ??= new WaitArgs(this);
        _waited = true;
        try
        {
            return _socket.ReceiveAsync(_wait);
        }
        catch (ObjectDisposedException)
        {
            connection.Break(SocketError.OperationAborted);
            return false;
        }
    }

    /// <summary>Takes what the wait brought, and what more there is where that filled the room for it.</summary>
    private SocketError Arrived(out int received)
    {
        received = _wait!.BytesTransferred;
        if (received == 0) return SocketError.Success;
        var room = Buffer.GetMemory().Span;
        _wait.MemoryBuffer.Span[..received].CopyTo(room);
        if (received < WaitingRoom) return SocketError.Success;
        var result = Receive(room[received..], out int more);
        received += more;
        return result == SocketError.WouldBlock ? SocketError.Success : result;
    }

    private SocketError Receive(Span<byte> room, out int received)
    {
        received = 0;
        try
        {
            received = _socket.Receive(room, SocketFlags.None, out var result);
            return result;
        }
        catch (ObjectDisposedException)
        {
            return SocketError.OperationAborted;
        }
    }

    private sealed class WaitArgs : SocketAsyncEventArgs
    {
        private readonly SocketReader _reader;

        // true: no execution context flows; the awaiting method has its own.
        public WaitArgs(SocketReader reader) : base(true)
        {
            _reader = reader;
            // Pinned: on Windows the kernel holds it for as long as the connection is idle, which must not nail down the heap around it.
            SetBuffer(GC.AllocateUninitializedArray<byte>(WaitingRoom, pinned: true));
        }

        protected override void OnCompleted(SocketAsyncEventArgs e) => _reader.OnReady();
    }
}
