using System.Buffers;
using System.Runtime.CompilerServices;
using FastChat.Buffers;

namespace FastChat.Transport;

/// <summary>
/// Reads from a stream: a zero-byte read waits for bytes where the stream knows that, then one read takes them. The read belongs to the
/// connection and not to whoever waits for it, so that cancelling never leaves a TLS record half read.
/// </summary>
internal sealed class StreamInput : NonBlockingReader
{
    private readonly Stream _stream;
    private readonly CancellationToken _closed;
    private readonly Action _onDone;
    private ValueTaskAwaiter _pending;
    private byte[]? _block;
    private int _received;
    private bool _done;
    private Exception? _error;

    public StreamInput(Stream stream, ArrayPool<byte> pool, CancellationToken closed) : base(new ReceiveBuffer(pool))
    {
        _stream = stream;
        _closed = closed;
        _onDone = () =>
        {
            _pending.GetResult();
            OnReady();
        };
    }

    protected override ReceiveStatus TryReceive(out Exception? error)
    {
        error = _error;
        if (error is not null) return ReceiveStatus.Failed;
        if (!_done) return ReceiveStatus.WouldBlock;
        _done = false;
        var block = _block!;
        _block = null;
        Buffer.CommitBlock(block, _received);
        return _received > 0 ? ReceiveStatus.Received : ReceiveStatus.End;
    }

    protected override bool BeginWait()
    {
#pragma warning disable CA2012 // awaited once, by hand: at once or in _onDone
        _pending = ReceiveAsync(waitFirst: Buffer.LastReadLeftRoom).GetAwaiter();
#pragma warning restore CA2012
        if (!_pending.IsCompleted)
        {
            _pending.UnsafeOnCompleted(_onDone);
            return true;
        }
        _pending.GetResult();
        return false;
    }

    protected override void Discard()
    {
        if (_block is { } block) Buffer.ReturnBlock(block);
        _block = null;
        _done = false;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReceiveAsync(bool waitFirst)
    {
        try
        {
            if (waitFirst) await _stream.ReadAsync(Memory<byte>.Empty, _closed).ConfigureAwait(false);
            _block = Buffer.RentBlock();
            _received = await _stream.ReadAsync(_block, _closed).ConfigureAwait(false);
            _done = true;
        }
        catch (Exception e)
        {
            // Whatever a stream throws ends this connection and nothing else.
            _error = e;
            if (_block is { } block) Buffer.ReturnBlock(block);
            _block = null;
        }
    }
}
