namespace FastChat.Dispatch;

/// <summary>What an incoming JSON message may cost. Immutable.</summary>
public sealed record EnvelopeLimits
{
    /// <summary>The defaults.</summary>
    public static EnvelopeLimits Default { get; } = new();

    /// <summary>Bytes of the whole message, 2 to 1 GiB; 1 MiB unless set.</summary>
    public int MaxBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 2, nameof(MaxBytes));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1 << 30, nameof(MaxBytes));
            field = value;
        }
    } = 1 << 20;

    /// <summary>Objects and arrays within one another, the outermost included, 1 to 1,000; 32 unless set.</summary>
    public int MaxDepth
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxDepth));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1000, nameof(MaxDepth));
            field = value;
        }
    } = 32;
}
