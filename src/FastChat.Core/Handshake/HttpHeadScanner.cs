namespace FastChat.Handshake;

/// <summary>How far a head has come.</summary>
internal enum HeadReadStatus
{
    /// <summary>Not all of it is here; nothing is wrong so far.</summary>
    NeedMore,
    /// <summary>It is here and valid.</summary>
    Complete,
    /// <summary>It breaks a rule; more bytes cannot mend it.</summary>
    Invalid,
}

/// <summary>Limits on a head. Both are finite; the defaults are 8 KiB and 100 fields.</summary>
internal readonly record struct HttpHeadLimits
{
    public HttpHeadLimits(int maxHeadBytes = 8 * 1024, int maxFields = 100)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxHeadBytes, 64);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxFields, 1);
        (MaxHeadBytes, MaxFields) = (maxHeadBytes, maxFields);
    }

    /// <summary>From the first byte to the empty line, that line included.</summary>
    public int MaxHeadBytes { get; }

    public int MaxFields { get; }

    public static HttpHeadLimits Default { get; } = new(8 * 1024);
}

/// <summary>
/// Finds the end of a head as it arrives and looks at each byte once, so that a head that drips costs no more than one that comes whole.
/// It refuses at once what can never become a head: a first byte that no method has (TLS, a frame), a line that ends with LF alone, and
/// a head over the limit. The verdict depends on the bytes only, not on how they were cut.
/// </summary>
internal struct HttpHeadScanner
{
    private int _lineStart;
    private byte _last;
    private bool _inHead;

    /// <summary>Bytes looked at so far; after <see cref="HeadReadStatus.Complete"/> the end of the head.</summary>
    public int Examined { get; private set; }

    /// <summary>Where the start line begins: RFC 9112 section 2.2 lets a server skip empty lines in front of it.</summary>
    public int Start { get; private set; }

    /// <param name="chunk">The bytes that follow those examined already.</param>
    /// <param name="maxBytes">The limit on the head as a whole.</param>
    /// <param name="error">Why, where the status is Invalid.</param>
    public HeadReadStatus Scan(ReadOnlySpan<byte> chunk, int maxBytes, out HandshakeError error)
    {
        error = HandshakeError.None;
        chunk = chunk[..Math.Min(chunk.Length, maxBytes - Examined)];
        while (!chunk.IsEmpty)
        {
            if (!_inHead && Examined == _lineStart && !CanBegin(chunk[0])) error = HandshakeError.NotHttp;
            int lf = chunk.IndexOf((byte)'\n');
            byte before = lf > 0 ? chunk[lf - 1] : _last;
            if (lf >= 0 && before != '\r' && error == HandshakeError.None) error = HandshakeError.BareLineFeed;
            if (error != HandshakeError.None) return HeadReadStatus.Invalid;

            int taken = lf < 0 ? chunk.Length : lf + 1;
            _last = chunk[taken - 1];
            Examined += taken;
            chunk = chunk[taken..];
            if (lf < 0) break;
            bool empty = Examined - _lineStart == 2;
            if (empty && _inHead) return HeadReadStatus.Complete;
            if (empty) Start = Examined;
            _inHead |= !empty;
            _lineStart = Examined;
        }
        if (Examined < maxBytes) return HeadReadStatus.NeedMore;
        error = _inHead ? HandshakeError.HeadTooLong : HandshakeError.RequestLineTooLong;
        return HeadReadStatus.Invalid;
    }

    private static bool CanBegin(byte first) => first is (byte)'\r' or (byte)'\n' || HttpSyntax.IsTokenByte(first);
}
