using System.Buffers;
using System.Text;

namespace FastChat.Handshake;

/// <summary>Headers that a caller adds to a request or an answer: they must not break out of their line, nor contradict the handshake.</summary>
internal static class HeaderRules
{
    private static readonly SearchValues<char> ValueChars = SearchValues.Create([.. Enumerable.Range(0x20, 0x5F).Select(c => (char)c), '\t']);

    private static readonly string[] Reserved =
        ["Host", "Upgrade", "Connection", "Content-Length", "Content-Type", "Transfer-Encoding", "Date"];

    /// <summary>Refuses names that are no tokens or that the handshake writes itself, and values with line ends, controls or non-ASCII.</summary>
    /// <exception cref="ArgumentException">A header is refused.</exception>
    public static void Check(IReadOnlyList<KeyValuePair<string, string>>? headers, string parameter)
    {
        for (int i = 0; i < (headers?.Count ?? 0); i++) Check(headers![i].Key, headers[i].Value, parameter);
    }

    /// <inheritdoc cref="Check(IReadOnlyList{KeyValuePair{string, string}}, string)"/>
    public static void Check(string name, string value, string parameter)
    {
        if (!HttpSyntax.IsToken(name)) throw new ArgumentException("A header's name is not a token.", parameter);
        if (IsReserved(name)) throw new ArgumentException($"The handshake writes the header {name} itself.", parameter);
        CheckValue(name, value, parameter);
    }

    /// <exception cref="ArgumentException">The value does not fit into one line of ASCII.</exception>
    public static void CheckValue(string name, string? value, string parameter)
    {
        if (value is null || value.AsSpan().ContainsAnyExcept(ValueChars))
            throw new ArgumentException($"The value of the header {name} has a character that is not printable ASCII.", parameter);
    }

    /// <summary>name: value CR LF, both checked before.</summary>
    public static void Write(IBufferWriter<byte> output, string name, string value)
    {
        WriteAscii(output, name);
        output.Write(": "u8);
        WriteAscii(output, value);
        output.Write("\r\n"u8);
    }

    public static void Write(IBufferWriter<byte> output, IReadOnlyList<KeyValuePair<string, string>>? headers)
    {
        for (int i = 0; i < (headers?.Count ?? 0); i++) Write(output, headers![i].Key, headers[i].Value);
    }

    public static void WriteAscii(IBufferWriter<byte> output, string text) =>
        output.Advance(Encoding.ASCII.GetBytes(text, output.GetSpan(text.Length)));

    private static bool IsReserved(string name)
    {
        if (name.StartsWith("Sec-WebSocket-", StringComparison.OrdinalIgnoreCase)) return true;
        foreach (string reserved in Reserved)
            if (name.Equals(reserved, StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }
}
