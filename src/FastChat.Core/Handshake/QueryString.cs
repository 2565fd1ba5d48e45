using System.Buffers;
using System.Text;

namespace FastChat.Handshake;

/// <summary>
/// Walks a query of name=value pairs joined by ampersands. Names and values come as sent; a pair without an equals sign has an empty
/// value, an empty pair is skipped. Nothing is allocated before a value is asked for as text.
/// </summary>
internal ref struct QueryString(ReadOnlySpan<byte> query)
{
    private const int StackLimit = 256;

    private ReadOnlySpan<byte> _rest = query;

    public ReadOnlySpan<byte> Name { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    public bool MoveNext()
    {
        while (!_rest.IsEmpty)
        {
            int end = _rest.IndexOf((byte)'&');
            var pair = end < 0 ? _rest : _rest[..end];
            _rest = end < 0 ? default : _rest[(end + 1)..];
            if (pair.IsEmpty) continue;
            int equals = pair.IndexOf((byte)'=');
            Name = equals < 0 ? pair : pair[..equals];
            Value = equals < 0 ? default : pair[(equals + 1)..];
            return true;
        }
        return false;
    }

    /// <summary>Moves to the next pair whose decoded name is <paramref name="name"/>, case-sensitive.</summary>
    public bool MoveTo(ReadOnlySpan<char> name)
    {
        while (MoveNext())
            if (NameIs(name)) return true;
        return false;
    }

    /// <summary>Text of a name or a value: decoded, and U+FFFD for what is not UTF-8.</summary>
    public static string Decode(ReadOnlySpan<byte> raw)
    {
        if (!raw.ContainsAny((byte)'%', (byte)'+')) return Encoding.UTF8.GetString(raw);
        byte[]? rented = raw.Length > StackLimit ? ArrayPool<byte>.Shared.Rent(raw.Length) : null;
        Span<byte> scratch = rented ?? stackalloc byte[StackLimit];
        string text = Encoding.UTF8.GetString(scratch[..PercentEncoding.DecodeQuery(raw, scratch)]);
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        return text;
    }

    private readonly bool NameIs(ReadOnlySpan<char> name)
    {
        if (Name.ContainsAny((byte)'%', (byte)'+')) return name.SequenceEqual(Decode(Name));
        return Ascii.Equals(Name, name);
    }
}
