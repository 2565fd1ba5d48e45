using System.IO.Pipelines;

namespace FastChat.Transport;

/// <summary>The reading side of an in-memory connection: the pipe's own reader, with an abort told from a cancellation.</summary>
internal sealed class InMemoryReader(InMemoryLink link, PipeReader inner) : PipeReader
{
    public override void AdvanceTo(SequencePosition consumed) => inner.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => inner.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete();

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        link.ThrowIfAborted();
        var result = await inner.ReadAsync(cancellationToken);
        if (result.IsCanceled) link.ThrowIfAborted();
        return result;
    }

    public override bool TryRead(out ReadResult result)
    {
        link.ThrowIfAborted();
        return inner.TryRead(out result);
    }
}

/// <summary>The writing side of an in-memory connection: the pipe's own writer, with an abort told from a cancellation.</summary>
internal sealed class InMemoryWriter(InMemoryLink link, PipeWriter inner) : PipeWriter
{
    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    public override long UnflushedBytes => inner.UnflushedBytes;

    public override void Advance(int bytes) => inner.Advance(bytes);

    public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => inner.Complete();

    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        link.ThrowIfAborted();
        var result = await inner.FlushAsync(cancellationToken);
        if (result.IsCanceled) link.ThrowIfAborted();
        return result;
    }
}
