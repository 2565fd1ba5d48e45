namespace FastChat.Handshake;

/// <summary>
/// Percent-decoding (RFC 3986 section 2.1). A percent sign without two hexadecimal digits stands for itself, as browsers and other
/// servers have it.
/// </summary>
internal static class PercentEncoding
{
    /// <summary>
    /// Decodes a path. An encoded slash stays encoded, or it would make a segment that its sender did not mean; so does NUL.
    /// <paramref name="destination"/> must be as long as <paramref name="source"/>; the result is the number of bytes written.
    /// </summary>
    public static int DecodePath(ReadOnlySpan<byte> source, Span<byte> destination) => Decode(source, destination, isPath: true);

    /// <summary>Decodes a name or a value of a query, where a plus is a blank (the form encoding of the URL standard).</summary>
    public static int DecodeQuery(ReadOnlySpan<byte> source, Span<byte> destination) => Decode(source, destination, isPath: false);

    private static int Decode(ReadOnlySpan<byte> source, Span<byte> destination, bool isPath)
    {
        int written = 0;
        for (int i = 0; i < source.Length; i++)
        {
            byte b = source[i];
            if (b == '+' && !isPath) b = (byte)' ';
            else if (b == '%' && TryHex(source, i, out byte decoded) && !(isPath && (decoded is 0 or (byte)'/')))
            {
                b = decoded;
                i += 2;
            }
            destination[written++] = b;
        }
        return written;
    }

    private static bool TryHex(ReadOnlySpan<byte> source, int at, out byte value)
    {
        value = 0;
        if (at + 2 >= source.Length) return false;
        int high = HexDigit(source[at + 1]), low = HexDigit(source[at + 2]);
        if (high < 0 || low < 0) return false;
        value = (byte)(high << 4 | low);
        return true;
    }

    private static int HexDigit(byte b) => b switch
    {
        >= (byte)'0' and <= (byte)'9' => b - '0',
        >= (byte)'A' and <= (byte)'F' => b - 'A' + 10,
        >= (byte)'a' and <= (byte)'f' => b - 'a' + 10,
        _ => -1,
    };
}
