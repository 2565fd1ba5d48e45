using System.Runtime.CompilerServices;

namespace FastChat.Chat;

/// <summary>Text of an answer that a reader has not seen: one chunk, or several grown together because the reader was slow.</summary>
/// <param name="FirstSeq">Number of the first chunk in it.</param>
/// <param name="Seq">Number of the last chunk in it: where a reader that has this one continues.</param>
/// <param name="Text">The text. Never changes; may be kept.</param>
public readonly record struct GenerationChunk(int FirstSeq, int Seq, ReadOnlyMemory<char> Text);

/// <summary>
/// A cursor on a <see cref="Generation"/>. Everything that came since the last read is read as one chunk (up to
/// <see cref="ChatEngineOptions.MaxChunkChars"/>), so a slow reader gets fewer and larger ones, and nothing waits in a queue for it.
/// For one caller at a time, except <see cref="Dispose"/>.
/// </summary>
public sealed class GenerationReader : IDisposable
{
    private readonly Generation _generation;
    private readonly AsyncSignal _signal;
    private volatile bool _disposed;
    private int _seq;
    private int _offset;

    internal GenerationReader(Generation generation, AsyncSignal signal, int seq, int offset) =>
        (_generation, _signal, _seq, _offset) = (generation, signal, seq, offset);

    /// <summary>
    /// Waits until there is something to <see cref="TryRead"/>. False when there will be nothing more: the text is final and read to its
    /// end, or this reader was disposed of. What follows the wait may run on the thread that the model's answer comes on: it must not block.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> WaitAsync()
    {
        while (!_disposed)
        {
            // In this order: what is published before the end is seen before the end is.
            bool finished = _generation.IsFinished;
            if (_generation.LastSeq > _seq)
                return true;
            if (finished)
                return false;
            await _signal.WaitAsync();
        }
        return false;
    }

    /// <summary>Takes what there is now. False when there is nothing new.</summary>
    public bool TryRead(out GenerationChunk chunk) => _generation.TryTake(ref _seq, ref _offset, out chunk);

    /// <summary>Ends this reader, and a wait in progress. Idempotent; from any thread.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _generation.Remove(_signal);
        _signal.Set();
    }
}
