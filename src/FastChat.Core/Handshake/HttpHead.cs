using System.Buffers;
using System.Diagnostics;

namespace FastChat.Handshake;

/// <summary>
/// The head of an HTTP/1.x message, read strictly (RFC 9112). It keeps one pooled copy of the bytes and a table of offsets into it;
/// strings are made only where somebody asks for one. An instance serves many heads: <see cref="Reset"/> gives the copy back.
/// Not thread-safe. Spans it hands out are good until then.
/// </summary>
internal abstract class HttpHead(ArrayPool<byte> pool)
{
    private readonly record struct Field(int Name, int NameLength, int Value, int ValueLength);

    private const int TypicalFields = 20;

    private HttpHeadScanner _scanner;
    private byte[] _buffer = [];
    private int _length;
    private bool _pooled;
    private Field[] _fields = [];

    protected ArrayPool<byte> Pool { get; set; } = pool;

    /// <summary>The number of field lines.</summary>
    public int FieldCount { get; private set; }

    /// <summary>The bytes of the head, its empty line included.</summary>
    protected ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _length);

    /// <summary>
    /// Reads on in a head that arrives in pieces. Until it is complete nothing is consumed: every call must be given the same bytes
    /// again, with more behind them. Bytes behind the head are left alone.
    /// </summary>
    /// <param name="input">Everything received so far.</param>
    /// <param name="limits">Checked before a byte is rented.</param>
    /// <param name="consumed">The end of the head where it is complete, else the start of <paramref name="input"/>.</param>
    /// <param name="error">The rule broken, where the status is Invalid.</param>
    public HeadReadStatus TryRead(in ReadOnlySequence<byte> input, HttpHeadLimits limits, out SequencePosition consumed, out HandshakeError error)
    {
        consumed = input.Start;
        HeadReadStatus status;
        if (input.IsSingleSegment)
        {
            status = TryRead(input.FirstSpan, limits, out int length, out error);
            if (length > 0) consumed = input.GetPosition(length);
            return status;
        }
        (status, error) = (HeadReadStatus.NeedMore, HandshakeError.None);
        foreach (var segment in input.Slice(_scanner.Examined))
        {
            status = _scanner.Scan(segment.Span, limits.MaxHeadBytes, out error);
            if (status != HeadReadStatus.NeedMore) break;
        }
        if (status != HeadReadStatus.Complete) return status;
        input.Slice(_scanner.Start, _scanner.Examined - _scanner.Start).CopyTo(Rent());
        error = Parse(limits.MaxFields);
        if (error != HandshakeError.None) return HeadReadStatus.Invalid;
        consumed = input.GetPosition(_scanner.Examined);
        return status;
    }

    /// <summary>The same for bytes in one piece.</summary>
    public HeadReadStatus TryRead(ReadOnlySpan<byte> input, HttpHeadLimits limits, out int consumed, out HandshakeError error)
    {
        consumed = 0;
        var status = _scanner.Scan(input[_scanner.Examined..], limits.MaxHeadBytes, out error);
        if (status != HeadReadStatus.Complete) return status;
        input[_scanner.Start.._scanner.Examined].CopyTo(Rent());
        error = Parse(limits.MaxFields);
        if (error != HandshakeError.None) return HeadReadStatus.Invalid;
        consumed = _scanner.Examined;
        return status;
    }

    /// <summary>Forgets the head and returns its bytes to the pool.</summary>
    public virtual void Reset()
    {
        if (_pooled) Pool.Return(_buffer);
        (_buffer, _length, _pooled, _scanner, FieldCount) = ([], 0, false, default, 0);
    }

    /// <summary>Takes over a copy of another head's bytes and offsets, on the heap and of the exact size.</summary>
    protected void CopyFrom(HttpHead other)
    {
        _buffer = other.Bytes.ToArray();
        _length = _buffer.Length;
        _fields = other._fields.AsSpan(0, other.FieldCount).ToArray();
        FieldCount = other.FieldCount;
    }

    /// <summary>The name of a field as it was written.</summary>
    public ReadOnlySpan<byte> FieldName(int index) => _buffer.AsSpan(_fields[index].Name, _fields[index].NameLength);

    /// <summary>The value of a field without the blanks around it.</summary>
    public ReadOnlySpan<byte> FieldValue(int index) => _buffer.AsSpan(_fields[index].Value, _fields[index].ValueLength);

    /// <summary>The index of the next field of that name (in any case) from <paramref name="from"/> on, or -1.</summary>
    public int IndexOf(ReadOnlySpan<byte> name, int from = 0)
    {
        for (int i = from; i < FieldCount; i++)
            if (_fields[i].NameLength == name.Length && HttpSyntax.EqualsIgnoreCase(FieldName(i), name)) return i;
        return -1;
    }

    /// <summary>How many fields have the name, and the value of the first.</summary>
    public int Count(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> first)
    {
        int count = 0;
        first = default;
        for (int i = IndexOf(name); i >= 0; i = IndexOf(name, i + 1))
            if (count++ == 0) first = FieldValue(i);
        return count;
    }

    /// <summary>The elements of all comma-separated fields of that name, in order (RFC 9110 section 5.6.1). The values must not quote commas.</summary>
    public HttpListEnumerator List(ReadOnlySpan<byte> name) => new(this, name);

    /// <summary>Whether one element of the list is the token, in any case.</summary>
    public bool ListContains(ReadOnlySpan<byte> name, ReadOnlySpan<byte> token)
    {
        foreach (var element in List(name))
            if (HttpSyntax.EqualsIgnoreCase(element, token)) return true;
        return false;
    }

    /// <summary>All values of the name, joined as RFC 9110 section 5.3 has it (cookies: RFC 6265 section 5.4); null where there is none.</summary>
    public string? GetHeader(ReadOnlySpan<byte> name)
    {
        int index = IndexOf(name);
        if (index < 0) return null;
        string value = HttpSyntax.Text(FieldValue(index));
        string separator = HttpSyntax.EqualsIgnoreCase(name, "cookie"u8) ? "; " : ", ";
        while ((index = IndexOf(name, index + 1)) >= 0) value += separator + HttpSyntax.Text(FieldValue(index));
        return value;
    }

    /// <summary>Reads the start line, whose line end is cut off.</summary>
    protected abstract HandshakeError ParseStartLine(ReadOnlySpan<byte> line);

    /// <summary>Checks what the fields say together.</summary>
    protected virtual HandshakeError CheckFields() => HandshakeError.None;

    private Span<byte> Rent()
    {
        Debug.Assert(!_pooled, "Reset comes between two heads.");
        _length = _scanner.Examined - _scanner.Start;
        _buffer = Pool.Rent(_length);
        _pooled = true;
        return _buffer.AsSpan(0, _length);
    }

    private HandshakeError Parse(int maxFields)
    {
        // The scanner has seen to it that every LF has its CR and that the only empty line is the last.
        int lineEnd = Bytes.IndexOf((byte)'\n') - 1;
        var error = ParseStartLine(Bytes[..lineEnd]);
        for (int at = lineEnd + 2; at < _length - 2 && error == HandshakeError.None; at = lineEnd + 2)
        {
            lineEnd = at + Bytes[at..].IndexOf((byte)'\n') - 1;
            error = FieldCount < maxFields ? ParseField(at, lineEnd) : HandshakeError.TooManyFields;
        }
        return error == HandshakeError.None ? CheckFields() : error;
    }

    private HandshakeError ParseField(int start, int end)
    {
        var line = Bytes[start..end];
        int name = HttpSyntax.TokenLength(line);
        if (name == line.Length) return HandshakeError.FieldWithoutColon;
        if (line[name] != ':')
        {
            if (line[name] is not ((byte)' ' or (byte)'\t')) return HandshakeError.FieldName;
            // RFC 9112 section 5.2 (obs-fold) and section 5.1 (a blank before the colon); neither is guessed at.
            return name == 0 ? HandshakeError.FieldFolded : line.Contains((byte)':') ? HandshakeError.SpaceBeforeColon : HandshakeError.FieldWithoutColon;
        }
        if (name == 0) return HandshakeError.FieldName;
        var raw = line[(name + 1)..];
        int control = HttpSyntax.IndexOfControl(raw);
        if (control >= 0) return raw[control] == '\r' ? HandshakeError.BareCarriageReturn : HandshakeError.FieldValue;
        int leading = raw.Length - raw.TrimStart(" \t"u8).Length;
        if (FieldCount == _fields.Length) Array.Resize(ref _fields, Math.Max(TypicalFields, _fields.Length * 2));
        _fields[FieldCount++] = new(start, name, start + name + 1 + leading, HttpSyntax.TrimBlanks(raw).Length);
        return HandshakeError.None;
    }
}
