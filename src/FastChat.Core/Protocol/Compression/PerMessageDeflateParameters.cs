using System.Globalization;
using System.Text;

namespace FastChat.Protocol.Compression;

/// <summary>What both ends agreed on (RFC 7692 section 7.1).</summary>
/// <param name="ServerNoContextTakeover">The server's messages refer to nothing before them.</param>
/// <param name="ClientNoContextTakeover">The client's messages refer to nothing before them.</param>
/// <param name="ServerMaxWindowBits">The server refers back 2^this octets at most, 8 to 15.</param>
/// <param name="ClientMaxWindowBits">The client refers back 2^this octets at most, 8 to 15.</param>
internal readonly record struct PerMessageDeflateParameters(
    bool ServerNoContextTakeover, bool ClientNoContextTakeover, int ServerMaxWindowBits, int ClientMaxWindowBits)
{
    public const string Extension = "permessage-deflate";
    public const string ServerNoContextTakeoverName = "server_no_context_takeover";
    public const string ClientNoContextTakeoverName = "client_no_context_takeover";
    public const string ServerMaxWindowBitsName = "server_max_window_bits";
    public const string ClientMaxWindowBitsName = "client_max_window_bits";

    /// <summary>A value of <c>Sec-WebSocket-Extensions</c>; a window of null is not mentioned, and one of 0 has no value.</summary>
    public static string Format(bool serverNoContextTakeover, bool clientNoContextTakeover, int? serverMaxWindowBits, int? clientMaxWindowBits)
    {
        var value = new StringBuilder(Extension, 160);
        if (serverNoContextTakeover) value.Append("; " + ServerNoContextTakeoverName);
        if (clientNoContextTakeover) value.Append("; " + ClientNoContextTakeoverName);
        if (serverMaxWindowBits is { } server) value.Append(CultureInfo.InvariantCulture, $"; {ServerMaxWindowBitsName}={server}");
        if (clientMaxWindowBits is not null) value.Append("; " + ClientMaxWindowBitsName);
        if (clientMaxWindowBits is > 0) value.Append(CultureInfo.InvariantCulture, $"={clientMaxWindowBits}");
        return value.ToString();
    }
}
