namespace FastChat.Handshake;

/// <summary>Walks the elements of comma-separated fields without allocating; empty elements are skipped (RFC 9110 section 5.6.1.2).</summary>
internal ref struct HttpListEnumerator(HttpHead head, ReadOnlySpan<byte> name)
{
    private readonly ReadOnlySpan<byte> _name = name;
    private ReadOnlySpan<byte> _rest;
    private int _next;

    public ReadOnlySpan<byte> Current { get; private set; }

    public readonly HttpListEnumerator GetEnumerator() => this;

    public bool MoveNext()
    {
        while (true)
        {
            while (!_rest.IsEmpty)
            {
                int comma = _rest.IndexOf((byte)',');
                Current = HttpSyntax.TrimBlanks(comma < 0 ? _rest : _rest[..comma]);
                _rest = comma < 0 ? default : _rest[(comma + 1)..];
                if (!Current.IsEmpty) return true;
            }
            int field = head.IndexOf(_name, _next);
            if (field < 0) return false;
            _rest = head.FieldValue(field);
            _next = field + 1;
        }
    }
}
