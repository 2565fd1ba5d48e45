using System.Diagnostics.CodeAnalysis;

namespace FastChat.Chat;

/// <summary>
/// An answer while it is produced: one writer, any number of readers, each with a cursor of its own. It belongs to its conversation, so no
/// reader's speed or end changes it. Safe for concurrent use.
/// </summary>
/// <remarks>
/// Chunks are numbered 1, 2, 3, ... What is kept is the text, once, and where each chunk ends in it: what a reader missed, however far it
/// is behind, is always one slice of that text. The index needs no bound of its own, because a chunk has at least one character and
/// <see cref="ChatEngineOptions.MaxAnswerChars"/> bounds those. Text that a reader holds is never changed, only added to.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "Without a timer or a linked token the source holds nothing to free.")]
public sealed class Generation
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<GenerationResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _maxChars;
    private readonly int _maxChunkChars;
    private AsyncSignal[] _readers = [];
    private char[] _text = [];
    private int[] _ends = [];
    private int _received;
    private int _published;
    private int _chunks;
    private string? _finishReason;
    private ChatError? _error;

    internal Generation(string id, int maxChars, int maxChunkChars)
    {
        Id = id;
        _maxChars = maxChars;
        _maxChunkChars = maxChunkChars;
    }

    /// <summary>The id that the answer's message has, or will have, in the store.</summary>
    public string Id { get; }

    /// <summary>Completes when the answer is over and stored (see <see cref="GenerationResult.Saved"/>). Never fails.</summary>
    public Task<GenerationResult> Completion => _completion.Task;

    /// <summary>The number of the newest chunk; 0 before the first.</summary>
    public int LastSeq { get { lock (_gate) return _chunks; } }

    /// <summary>Cancelled as soon as nothing more is wanted of the model.</summary>
    internal CancellationToken Stopping => _stopping.Token;

    /// <summary>Completes when the text is final, before it is stored.</summary>
    internal Task Finished => _finished.Task;

    /// <summary>False for an answer read from the store: only its whole text is left.</summary>
    internal bool HasChunks => _maxChars > 0;

    internal bool IsFinished { get { lock (_gate) return _finishReason is not null; } }

    internal ChatError? Error { get { lock (_gate) return _error; } }

    /// <summary>When the model last gave something, or was asked (a <see cref="TimeProvider"/> timestamp); 0 before.</summary>
    internal long ProgressAt { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>When the model was asked (a <see cref="TimeProvider"/> timestamp); 0 before.</summary>
    internal long StartedAt { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>Makes a reader. Dispose it: the generation keeps it until then.</summary>
    /// <param name="afterSeq">The last chunk the reader has; 0 for none.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such chunk, or the chunks are gone and only the whole text is left.</exception>
    public GenerationReader Read(int afterSeq = 0)
    {
        lock (_gate)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(afterSeq);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(afterSeq, _chunks);
            var signal = new AsyncSignal();
            _readers = [.. _readers, signal];
            return new GenerationReader(this, signal, afterSeq, afterSeq == 0 ? 0 : _ends[afterSeq - 1]);
        }
    }

    /// <summary>Adds what the model gave. False when the answer is over: the model's work is no longer wanted.</summary>
    internal bool TryAppend(ReadOnlySpan<char> delta)
    {
        AsyncSignal[] readers;
        bool full;
        lock (_gate)
        {
            if (_finishReason is not null)
                return false;
            full = delta.Length > _maxChars - _received;
            Store(full ? delta[..(_maxChars - _received)] : delta);
            Publish();
            readers = _readers;
        }
        // Each sends what there is, at most one message, and waits again: cheaper on this thread than on another, which would have to be woken.
        foreach (var reader in readers)
            reader.Set(inline: true);
        return !full || !TryFinish(FinishReason.Length);
    }

    /// <summary>Ends the answer. The first to call it decides how; true for that one.</summary>
    internal bool TryFinish(string reason, ChatError? error = null)
    {
        AsyncSignal[] readers;
        lock (_gate)
        {
            if (_finishReason is not null)
                return false;
            _finishReason = reason;
            _error = error;
            // Half a surrogate pair that never got its other half is no text.
            _received = _published;
            readers = _readers;
        }
        _finished.TrySetResult();
        // Not here: a client's cancellation callbacks are its own code and may take their time.
        ThreadPool.UnsafeQueueUserWorkItem(static stopping => _ = stopping.CancelAsync().ContinueWith(
            static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default), _stopping, false);
        foreach (var reader in readers)
            reader.Set();
        return true;
    }

    /// <summary>The final text and how it came to be final. Only after <see cref="Finished"/>.</summary>
    internal (string Text, string Reason, ChatError? Error) Outcome
    {
        get { lock (_gate) return (new string(_text, 0, _published), _finishReason!, _error); }
    }

    /// <summary>What keeping this costs, in characters: the text, and a little for everything around it.</summary>
    internal int RetainedSize { get { lock (_gate) return _text.Length + 2 * _ends.Length + 512; } }

    internal void Complete(GenerationResult result) => _completion.TrySetResult(result);

    /// <summary>An answer that the store has and whose chunks are gone.</summary>
    internal static Generation FromResult(string id, GenerationResult result)
    {
        var generation = new Generation(id, 0, 1);
        generation._finishReason = result.FinishReason;
        generation._finished.SetResult();
        generation.Complete(result);
        return generation;
    }

    /// <summary>Takes what came after a cursor, at most one chunk's worth of characters, in whole chunks.</summary>
    internal bool TryTake(ref int seq, ref int offset, out GenerationChunk chunk)
    {
        lock (_gate)
        {
            chunk = default;
            if (seq == _chunks)
                return false;
            int last = seq + 1;
            while (last < _chunks && _ends[last] - offset <= _maxChunkChars)
                last++;
            chunk = new GenerationChunk(seq + 1, last, _text.AsMemory(offset, _ends[last - 1] - offset));
            (seq, offset) = (last, _ends[last - 1]);
            return true;
        }
    }

    internal void Remove(AsyncSignal reader)
    {
        lock (_gate)
            _readers = [.. _readers.Where(r => r != reader)];
    }

    private void Store(ReadOnlySpan<char> delta)
    {
        int needed = _received + delta.Length;
        if (needed > _text.Length)
            // A new array each time: slices of the old one may be on their way to a peer.
            Array.Resize(ref _text, (int)Math.Min(Math.Max(needed, Math.Max(256, 2L * _text.Length)), _maxChars));
        delta.CopyTo(_text.AsSpan(_received));
        _received = needed;
    }

    private void Publish()
    {
        // A model may cut between the halves of a surrogate pair; the first half waits for the second.
        int end = _received > 0 && char.IsHighSurrogate(_text[_received - 1]) ? _received - 1 : _received;
        while (_published < end)
        {
            int next = Math.Min(end, _published + _maxChunkChars);
            if (next < end && char.IsHighSurrogate(_text[next - 1]))
                next--;
            if (_chunks == _ends.Length)
                Array.Resize(ref _ends, Math.Max(16, 2 * _chunks));
            _ends[_chunks++] = _published = next;
        }
    }
}
