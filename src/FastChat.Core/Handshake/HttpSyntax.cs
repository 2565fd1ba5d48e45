using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace FastChat.Handshake;

/// <summary>The character classes and small grammars of RFC 9110 and RFC 3986 that heads are made of.</summary>
internal static class HttpSyntax
{
    private const string Alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    // RFC 9110 section 5.6.2: token = 1*tchar.
    private static readonly SearchValues<byte> TokenBytes = SearchValues.Create(Encoding.ASCII.GetBytes("!#$%&'*+-.^_`|~" + Alphanumeric));
    private static readonly SearchValues<char> TokenChars = SearchValues.Create("!#$%&'*+-.^_`|~" + Alphanumeric);

    // RFC 9110 section 5.5: a value has VCHAR, obs-text, SP and HTAB; what is left is refused.
    private static readonly SearchValues<byte> ControlBytes =
        SearchValues.Create([.. Enumerable.Range(0, 32).Where(c => c != '\t').Select(c => (byte)c), 0x7F]);

    // RFC 3986 section 3.2.2: reg-name = *( unreserved / pct-encoded / sub-delims ).
    private static readonly SearchValues<byte> RegNameBytes = SearchValues.Create(Encoding.ASCII.GetBytes("-._~%!$&'()*+,;=" + Alphanumeric));
    private static readonly SearchValues<byte> Ipv6Bytes = SearchValues.Create("0123456789ABCDEFabcdef:."u8);

    public static bool IsTokenByte(byte b) => TokenBytes.Contains(b);

    public static bool IsToken(ReadOnlySpan<byte> bytes) => !bytes.IsEmpty && !bytes.ContainsAnyExcept(TokenBytes);

    public static bool IsToken(ReadOnlySpan<char> text) => !text.IsEmpty && !text.ContainsAnyExcept(TokenChars);

    /// <summary>How many bytes from the start are of a token.</summary>
    public static int TokenLength(ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOfAnyExcept(TokenBytes);
        return end < 0 ? bytes.Length : end;
    }

    /// <summary>The index of the first byte that no field value may have, or -1.</summary>
    public static int IndexOfControl(ReadOnlySpan<byte> value) => value.IndexOfAny(ControlBytes);

    /// <summary>Without the optional white space around it: RFC 9110 section 5.6.3, OWS = *( SP / HTAB ).</summary>
    public static ReadOnlySpan<byte> TrimBlanks(ReadOnlySpan<byte> value) => value.Trim(" \t"u8);

    public static bool EqualsIgnoreCase(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) =>
        left.Length == right.Length && Ascii.EqualsIgnoreCase(left, right);

    /// <summary>RFC 9110 section 7.2: Host = uri-host [ ":" port ]. User information has no place in it (RFC 9110 section 4.2.4).</summary>
    public static bool IsHostAndPort(ReadOnlySpan<byte> value, bool portRequired = false)
    {
        int hostEnd;
        if (value.StartsWith("["u8))
        {
            hostEnd = value.IndexOf((byte)']') + 1;
            if (hostEnd < 4 || value[1..(hostEnd - 1)].ContainsAnyExcept(Ipv6Bytes)) return false;
        }
        else
        {
            hostEnd = value.IndexOf((byte)':');
            if (hostEnd < 0) hostEnd = value.Length;
            if (hostEnd == 0 || value[..hostEnd].ContainsAnyExcept(RegNameBytes)) return false;
        }
        if (hostEnd == value.Length) return !portRequired;
        return value[hostEnd] == ':' && IsPort(value[(hostEnd + 1)..], allowEmpty: !portRequired);
    }

    private static bool IsPort(ReadOnlySpan<byte> digits, bool allowEmpty)
    {
        if (digits.IsEmpty) return allowEmpty;
        return TryParseNumber(digits, ushort.MaxValue, out _);
    }

    /// <summary>1*DIGIT up to <paramref name="max"/>, nothing else: no sign, no blank.</summary>
    public static bool TryParseNumber(ReadOnlySpan<byte> digits, long max, out long value)
    {
        value = 0;
        if (digits.IsEmpty) return false;
        foreach (byte digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'9') return false;
            if (value > (max - (digit - '0')) / 10) return false;
            value = value * 10 + (digit - '0');
        }
        return true;
    }

    /// <summary>Bytes of a head as text: UTF-8 where they are that, else one character a byte as HTTP once had it.</summary>
    public static string Text(ReadOnlySpan<byte> bytes) => Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : Encoding.Latin1.GetString(bytes);
}
