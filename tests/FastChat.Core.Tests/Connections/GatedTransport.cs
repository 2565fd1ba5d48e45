using System.IO.Pipelines;
using FastChat.Transport;

namespace FastChat.Core.Tests.Connections;

/// <summary>A transport whose flushes are counted, and can be held back as a peer does that does not read.</summary>
internal sealed class GatedTransport(TransportConnection inner) : TransportConnection
{
    private readonly GatedWriter _writer = new(inner.Output);

    public override PipeReader Input => inner.Input;

    public override PipeWriter Output => _writer;

    /// <summary>Flushes asked for so far.</summary>
    public int Flushes => _writer.Flushes;

    /// <summary>From now on a flush waits.</summary>
    public void Hold() => _writer.Hold();

    /// <summary>Lets the waiting flush go on, on this thread, and later ones pass.</summary>
    public void Release() => _writer.Release();

    public override void Abort()
    {
        inner.Abort();
        _writer.Release();
    }

    public override ValueTask ShutdownAsync() => inner.ShutdownAsync();

    public override ValueTask DisposeAsync() => inner.DisposeAsync();

    private sealed class GatedWriter(PipeWriter inner) : PipeWriter
    {
        private TaskCompletionSource? _gate;

        public int Flushes { get; private set; }

        public void Hold() => _gate = new TaskCompletionSource();

        public void Release() => Interlocked.Exchange(ref _gate, null)?.TrySetResult();

        public override void Advance(int bytes) => inner.Advance(bytes);

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            Flushes++;
            return _gate is { } gate ? After(gate.Task) : inner.FlushAsync(cancellationToken);
        }

        private async ValueTask<FlushResult> After(Task gate)
        {
            await gate;
            return await inner.FlushAsync();
        }
    }
}
