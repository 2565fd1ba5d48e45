namespace FastChat.Protocol.Compression;

/// <summary>
/// Whether and how permessage-deflate (RFC 7692) is negotiated and used, for a server and for a client alike: "server" and "client" in
/// the names say whose compressor is meant. Set the properties before the options are first used; they are read concurrently from then on.
/// </summary>
/// <remarks>
/// The defaults cost nothing per connection. Native memory, measured with .NET 10 on Linux x64, bytes allocated (bytes touched):
/// <list type="table">
/// <listheader><term>mode</term><description>memory</description></listheader>
/// <item><term>No takeover in either direction (the default)</term><description>
/// none per connection. Compressors and decompressors are shared by all: at most one idle compressor per core and window size in use
/// (344 KiB each with the defaults) and 4 idle decompressors per core (41 KiB each). A decompressor belongs to a connection only
/// while a compressed message is under way.</description></item>
/// <item><term>The peer keeps its window</term><description>
/// 41 KiB (13 KiB; 19 with a window of 12 bits, 43 with 15 once that much was received), from the connection's first compressed message
/// on.</description></item>
/// <item><term>This end keeps its window</term><description>
/// from the connection's first compressed message on, window 15: 344 KiB (335) at <see cref="MemoryLevel"/> 8, 276 KiB at 5, 264 KiB at 1;
/// window 12: 232, 164, 152 KiB; window 9: 220, 148, 140 KiB.</description></item>
/// </list>
/// </remarks>
public sealed class PerMessageDeflateOptions
{
    private int _serverMaxWindowBits = 15;
    private int _clientMaxWindowBits = 15;
    private int _compressionLevel = 2;
    private int _memoryLevel = 8;
    private int _threshold = 256;

    /// <summary>
    /// Whether the server's compressor may keep its window from message to message (RFC 7692 section 7.1.1.1). It compresses a stream
    /// of small messages better, at the price of a compressor per connection. False by default: <c>server_no_context_takeover</c>.
    /// </summary>
    public bool ServerContextTakeover { get; set; }

    /// <summary>
    /// Whether the client's compressor may keep its window from message to message (RFC 7692 section 7.1.1.2), at the price of a
    /// decompressor per connection on the server. False by default: <c>client_no_context_takeover</c>.
    /// </summary>
    public bool ClientContextTakeover { get; set; }

    /// <summary>The largest window of the server's compressor, as a power of two of octets: 8 to 15 (RFC 7692 section 7.1.2.1). 15 by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Less than 8 or more than 15.</exception>
    public int ServerMaxWindowBits
    {
        get => _serverMaxWindowBits;
        set => _serverMaxWindowBits = Within(value, 8, 15);
    }

    /// <summary>
    /// The largest window of the client's compressor, as a power of two of octets: 8 to 15 (RFC 7692 section 7.1.2.2). 15 by default.
    /// A server with less than 15 declines offers of clients that do not let themselves be told.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Less than 8 or more than 15.</exception>
    public int ClientMaxWindowBits
    {
        get => _clientMaxWindowBits;
        set => _clientMaxWindowBits = Within(value, 8, 15);
    }

    /// <summary>
    /// zlib's level of this end's compressor, 1 (fastest) to 9 (smallest). 2 by default: JSON of 300 to 16,384 octets becomes about
    /// as small as with 6, which takes up to half as long again; 1 takes half the time of 2 or less and leaves a third more.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1 or more than 9.</exception>
    public int CompressionLevel
    {
        get => _compressionLevel;
        set => _compressionLevel = Within(value, 1, 9);
    }

    /// <summary>zlib's memory level of this end's compressor, 1 (least memory) to 9 (most); 8 by default. It matters where compressors are kept per connection.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1 or more than 9.</exception>
    public int MemoryLevel
    {
        get => _memoryLevel;
        set => _memoryLevel = Within(value, 1, 9);
    }

    /// <summary>Messages of fewer octets than this are sent uncompressed; 256 by default, 0 compresses all.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public int Threshold
    {
        get => _threshold;
        set => _threshold = Within(value, 0, int.MaxValue);
    }

    private static int Within(int value, int least, int most) => value >= least && value <= most
        ? value
        : throw new ArgumentOutOfRangeException(nameof(value), value, $"Must be {least} to {most}.");
}
