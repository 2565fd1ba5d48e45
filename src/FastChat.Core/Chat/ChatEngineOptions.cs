using System.Buffers;
using System.Runtime.CompilerServices;

namespace FastChat.Chat;

/// <summary>
/// The limits of a <see cref="ChatEngine"/>. Every one is finite; a value out of range is an <see cref="ArgumentOutOfRangeException"/> when
/// it is set. Read once, when the engine is made.
/// </summary>
public sealed class ChatEngineOptions
{
    /// <summary>Bytes of UTF-8 in one message of a user, 1 to 1 MiB; 32 KiB unless set.</summary>
    public int MaxMessageBytes { get; set => field = Range(value, 1, 1 << 20); } = 32 << 10;

    /// <summary>Bytes of one JSON message on a socket, escapes and envelope included, 64 to 8 MiB; 256 KiB unless set.</summary>
    public int MaxEnvelopeBytes { get; set => field = Range(value, 64, 8 << 20); } = 256 << 10;

    /// <summary>Characters (UTF-16) of a system prompt, 1 to 1 Mi; 16 Ki unless set.</summary>
    public int MaxSystemPromptChars { get; set => field = Range(value, 1, 1 << 20); } = 16 << 10;

    /// <summary>Characters of one answer, 64 to 16 Mi; an answer that reaches it ends with <c>length</c>. 128 Ki unless set.</summary>
    public int MaxAnswerChars { get; set => field = Range(value, 64, 16 << 20); } = 128 << 10;

    /// <summary>Characters in one chunk, however many a slow reader is behind, 16 to 1 Mi; 16 Ki unless set.</summary>
    public int MaxChunkChars { get; set => field = Range(value, 16, 1 << 20); } = 16 << 10;

    /// <summary>Messages of one conversation that may wait while another one's answer runs, 0 to 1,000; 8 unless set.</summary>
    public int MaxQueuedTurns { get; set => field = Range(value, 0, 1000); } = 8;

    /// <summary>Answers that run or wait, in all, 1 to 1,000,000; 4,096 unless set.</summary>
    public int MaxConcurrentGenerations { get; set => field = Range(value, 1, 1_000_000); } = 4096;

    /// <summary>How long a model may take to its first text, 10 ms to a day; 90 s unless set.</summary>
    public TimeSpan FirstChunkTimeout { get; set => field = Range(value); } = TimeSpan.FromSeconds(90);

    /// <summary>How long a model may be silent in mid-answer; 60 s unless set.</summary>
    public TimeSpan StallTimeout { get; set => field = Range(value); } = TimeSpan.FromSeconds(60);

    /// <summary>How long an answer may take in all; 10 minutes unless set.</summary>
    public TimeSpan GenerationTimeout { get; set => field = Range(value); } = TimeSpan.FromMinutes(10);

    /// <summary>Tokens of earlier messages given to the model, estimated at four bytes of UTF-8 each, 0 to 10,000,000; 8,000 unless set.</summary>
    public int HistoryTokens { get; set => field = Range(value, 0, 10_000_000); } = 8000;

    /// <summary>Earlier messages read for the model, 0 to 10,000; 100 unless set.</summary>
    public int MaxHistoryMessages { get; set => field = Range(value, 0, 10_000); } = 100;

    /// <summary>Passages of documents given to the model with a question, 0 to 100; 5 unless set.</summary>
    public int MaxPassages { get; set => field = Range(value, 0, 100); } = 5;

    /// <summary>Characters of all passages of one question, 0 to 1 Mi; 12,000 unless set.</summary>
    public int MaxPassageChars { get; set => field = Range(value, 0, 1 << 20); } = 12_000;

    /// <summary>Share of a question's words that a passage must hold to be given to the model, 0 to 1; 0.25 unless set.</summary>
    public double MinPassageCoverage { get; set => field = Range(value, 0, 1); } = 0.25;

    /// <summary>Characters of a title made from a first message, 8 to 1,000; 120 unless set.</summary>
    public int MaxTitleChars { get; set => field = Range(value, 8, 1000); } = 120;

    /// <summary>How long a finished answer can still be resumed chunk by chunk, up to a day; 2 minutes unless set. Afterwards the store has it whole.</summary>
    public TimeSpan ResumeRetention { get; set => field = Range(value); } = TimeSpan.FromMinutes(2);

    /// <summary>Characters of finished answers kept for that, in all, 0 to 1 Gi; 16 Mi unless set. Beyond it the oldest go first.</summary>
    public int MaxRetainedChars { get; set => field = Range(value, 0, 1 << 30); } = 16 << 20;

    /// <summary>How long a session lives without a socket; 60 s unless set.</summary>
    public TimeSpan SessionGracePeriod { get; set => field = Range(value); } = TimeSpan.FromSeconds(60);

    /// <summary>How long a session lives without a message; 30 minutes unless set.</summary>
    public TimeSpan SessionIdleTimeout { get; set => field = Range(value); } = TimeSpan.FromMinutes(30);

    /// <summary>Sessions in all, 1 to 10,000,000; 100,000 unless set.</summary>
    public int MaxSessions { get; set => field = Range(value, 1, 10_000_000); } = 100_000;

    /// <summary>Sockets on one session, 1 to 1,000; 16 unless set.</summary>
    public int MaxSocketsPerSession { get; set => field = Range(value, 1, 1000); } = 16;

    /// <summary>Messages given back when a session opens, the newest ones, 0 to 10,000; 100 unless set.</summary>
    public int MaxPreviousMessages { get; set => field = Range(value, 0, 10_000); } = 100;

    /// <summary>How often time limits are looked at, and so their precision; 1 s unless set.</summary>
    public TimeSpan SweepInterval { get; set => field = Range(value); } = TimeSpan.FromSeconds(1);

    /// <summary>Where the buffers of outgoing messages come from, and go back to; the shared pool unless set.</summary>
    public ArrayPool<byte> BufferPool { get; set => field = value ?? throw new ArgumentNullException(nameof(BufferPool)); } = ArrayPool<byte>.Shared;

    private static int Range(int value, int min, int max, [CallerMemberName] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, min, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, max, name);
        return value;
    }

    private static double Range(double value, double min, double max, [CallerMemberName] string name = "")
    {
        if (!(value >= min && value <= max))
            throw new ArgumentOutOfRangeException(name, value, $"Must be between {min} and {max}.");
        return value;
    }

    private static TimeSpan Range(TimeSpan value, [CallerMemberName] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromMilliseconds(10), name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromDays(1), name);
        return value;
    }
}
