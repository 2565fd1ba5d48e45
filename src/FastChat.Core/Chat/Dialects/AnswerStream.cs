using System.Diagnostics.CodeAnalysis;

namespace FastChat.Chat.Dialects;

/// <summary>How much of an answer a socket sends.</summary>
internal enum FollowMode
{
    /// <summary>The beginning, the chunks and the end.</summary>
    All,
    /// <summary>The chunks after a given one, and the end: the peer has seen the beginning.</summary>
    Resumed,
    /// <summary>The end, which has the whole text.</summary>
    EndOnly,
}

/// <summary>One answer on its way to one socket. Safe for concurrent use.</summary>
/// <param name="turn">The turn.</param>
/// <param name="afterSeq">The last chunk the peer has.</param>
/// <param name="mode">How much of it.</param>
/// <param name="isOwn">Whether the question came from this very socket, which therefore need not be shown it.</param>
[SuppressMessage("Design", "CA1001", Justification = "Without a timer or a linked token the source holds nothing to free.")]
internal sealed class AnswerStream(ChatTurn turn, int afterSeq, FollowMode mode, bool isOwn)
{
    private readonly CancellationTokenSource _cancelled = new();
    private GenerationReader? _reader;

    public ChatTurn Turn { get; } = turn;

    public FollowMode Mode { get; } = mode;

    public bool IsOwn { get; } = isOwn;

    public CancellationToken Cancelled => _cancelled.Token;

    public GenerationReader Open()
    {
        var reader = Turn.Answer.Read(Turn.Answer.HasChunks ? afterSeq : 0);
        // A full fence: either Cancel sees the reader, or the token is seen here.
        Interlocked.Exchange(ref _reader, reader);
        if (_cancelled.IsCancellationRequested)
            reader.Dispose();
        return reader;
    }

    public void Cancel()
    {
        // Asynchronously, because the caller may hold a lock that what hangs on the token wants.
        _ = _cancelled.CancelAsync();
        Volatile.Read(ref _reader)?.Dispose();
    }
}
