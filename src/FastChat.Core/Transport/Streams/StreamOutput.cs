using System.Buffers;
using System.Runtime.CompilerServices;
using FastChat.Buffers;

namespace FastChat.Transport;

/// <summary>Writes to a stream, block after block, and flushes it when there is no more; done means that the stream took it all.</summary>
internal sealed class StreamOutput : NonBlockingWriter
{
    private readonly Stream _stream;
    private readonly CancellationToken _closed;
    private readonly Action _onDone;
    private ValueTaskAwaiter _pending;
    private Exception? _error;

    public StreamOutput(Stream stream, ArrayPool<byte> pool, CancellationToken closed) : base(pool)
    {
        _stream = stream;
        _closed = closed;
        _onDone = () =>
        {
            _pending.GetResult();
            OnSent(_error);
        };
    }

    /// <summary>A stream cannot be asked whether it has room.</summary>
    protected override SendStatus TrySend(BufferChain chain, ref ReadOnlyMemory<byte> direct, out Exception? error)
    {
        error = null;
        return chain.IsEmpty && direct.IsEmpty ? SendStatus.Sent : SendStatus.WouldBlock;
    }

    protected override bool BeginSend(BufferChain chain, out Exception? error)
    {
        var bytes = chain.TakeFirst();
#pragma warning disable CA2012 // awaited once, by hand: at once or in _onDone
        _pending = SendAsync(bytes, isLast: chain.IsEmpty).GetAwaiter();
#pragma warning restore CA2012
        if (!_pending.IsCompleted)
        {
            error = null;
            _pending.UnsafeOnCompleted(_onDone);
            return true;
        }
        _pending.GetResult();
        error = _error;
        return false;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SendAsync(ArraySegment<byte> bytes, bool isLast)
    {
        try
        {
            await _stream.WriteAsync(bytes, _closed).ConfigureAwait(false);
            if (isLast) await _stream.FlushAsync(_closed).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // Whatever a stream throws ends this connection and nothing else.
            _error = e;
        }
        finally
        {
            Pool.Return(bytes.Array!);
        }
    }
}
