using System.Buffers;

namespace FastChat.Protocol.Compression;

/// <summary>
/// Reads one value of <c>Sec-WebSocket-Extensions</c> (RFC 6455 section 9.1), extension by extension, parameter by parameter:
/// <code>
/// extension-list  = 1#extension
/// extension       = extension-token *( ";" extension-param )
/// extension-param = token [ "=" (token | quoted-string) ]
/// </code>
/// Empty list elements are skipped, as RFC 9110 section 5.6.1.2 wants it. Whatever is not of this form ends the reading with
/// <see cref="IsMalformed"/> set; nothing throws.
/// </summary>
internal ref struct ExtensionListReader(ReadOnlySpan<char> value)
{
    private static readonly SearchValues<char> TokenChars =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private ReadOnlySpan<char> _rest = value;

    /// <summary>Whether the value broke the grammar.</summary>
    public bool IsMalformed { get; private set; }

    /// <summary>Reads the next extension's name. The parameters of the one before must have been read to their end.</summary>
    public bool TryReadExtension(out ReadOnlySpan<char> name)
    {
        name = default;
        if (IsMalformed) return false;
        _rest = _rest.TrimStart(", \t");
        return !_rest.IsEmpty && TryReadToken(out name) && EndsHere();
    }

    /// <summary>Reads the next parameter of the extension read last, its value unquoted; false after its last one.</summary>
    public bool TryReadParameter(out ReadOnlySpan<char> name, out ReadOnlySpan<char> value, out bool hasValue)
    {
        name = value = default;
        hasValue = false;
        if (IsMalformed || _rest.IsEmpty || _rest[0] != ';') return false;
        _rest = _rest[1..].TrimStart(" \t");
        if (!TryReadToken(out name)) return false;
        if (_rest.IsEmpty || _rest[0] != '=') return EndsHere();
        hasValue = true;
        _rest = _rest[1..].TrimStart(" \t");
        return (!_rest.IsEmpty && _rest[0] == '"' ? TryReadQuoted(out value) : TryReadToken(out value)) && EndsHere();
    }

    private bool TryReadToken(out ReadOnlySpan<char> token)
    {
        int length = _rest.IndexOfAnyExcept(TokenChars);
        if (length < 0) length = _rest.Length;
        token = _rest[..length];
        _rest = _rest[length..].TrimStart(" \t");
        return length > 0 || Malformed();
    }

    // Only a token may be in the quotes; whoever wants the value compares it, so that anything else fits nothing.
    private bool TryReadQuoted(out ReadOnlySpan<char> unquoted)
    {
        unquoted = default;
        bool escaped = false;
        for (int i = 1; i < _rest.Length; i++)
        {
            char c = _rest[i];
            if (c == '"')
            {
                unquoted = escaped ? Unescape(_rest[1..i]) : _rest[1..i];
                _rest = _rest[(i + 1)..].TrimStart(" \t");
                return true;
            }
            if (char.IsControl(c) && c != '\t') break;
            if (c == '\\')
            {
                escaped = true;
                i++;
            }
        }
        return Malformed();
    }

    private static string Unescape(ReadOnlySpan<char> quoted)
    {
        Span<char> plain = quoted.Length <= 64 ? stackalloc char[quoted.Length] : new char[quoted.Length];
        int length = 0;
        for (int i = 0; i < quoted.Length; i++) plain[length++] = quoted[i] == '\\' ? quoted[++i] : quoted[i];
        return new string(plain[..length]);
    }

    private bool EndsHere() => _rest.IsEmpty || _rest[0] is ';' or ',' || Malformed();

    private bool Malformed()
    {
        IsMalformed = true;
        return false;
    }
}
