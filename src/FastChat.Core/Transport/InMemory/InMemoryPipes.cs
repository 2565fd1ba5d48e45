using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using FastChat.Buffers;

namespace FastChat.Transport;

/// <summary>The reading side of an in-memory connection: the pipe's own reader, with an abort told from a cancellation.</summary>
internal sealed class InMemoryReader(InMemoryLink link, PipeReader inner) : PipeReader
{
    private volatile bool _completed;

    public override void AdvanceTo(SequencePosition consumed) => inner.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => inner.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null)
    {
        _completed = true;
        // The pipe would let a pending read wait for ever.
        inner.CancelPendingRead();
        inner.Complete();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        link.ThrowIfAborted();
        var result = await inner.ReadAsync(cancellationToken);
        if (result.IsCanceled) link.ThrowIfAborted();
        if (_completed) throw new IOException("The connection was closed.");
        return result;
    }

    public override bool TryRead(out ReadResult result)
    {
        link.ThrowIfAborted();
        return inner.TryRead(out result);
    }
}

/// <summary>
/// The writing side of an in-memory connection: the pipe's own writer behind a buffer, because the pipe would send on completion what was
/// never flushed. An abort is told from a cancellation.
/// </summary>
internal sealed class InMemoryWriter(InMemoryLink link, PipeWriter inner, ArrayPool<byte> pool) : PipeWriter
{
    private readonly BufferChain _written = new(pool);
    private volatile bool _completed;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _written.Length;

    public override void Advance(int bytes) => _written.Advance(bytes);

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        ThrowIfCompleted();
        return _written.GetMemory(sizeHint);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        _completed = true;
        _written.Clear();
        inner.CancelPendingFlush();
        inner.Complete();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfCompleted();
        cancellationToken.ThrowIfCancellationRequested();
        link.ThrowIfAborted();
        foreach (var block in _written.Sequence) inner.Write(block.Span);
        _written.Clear();
        var result = await inner.FlushAsync(cancellationToken);
        if (result.IsCanceled) link.ThrowIfAborted();
        if (_completed) throw new IOException("The connection was closed.");
        return result;
    }

    private void ThrowIfCompleted()
    {
        if (_completed) throw new InvalidOperationException("Writing is not allowed after the writer was completed.");
    }
}
