namespace FastChat.Handshake;

/// <summary>RFC 9112 section 2.3: HTTP-version = "HTTP/" DIGIT "." DIGIT, in this very case.</summary>
internal static class HttpVersion
{
    public const int Length = 8;

    /// <param name="version">The eight bytes, and nothing else.</param>
    /// <param name="isHttp11">False for 1.0. A minor version above 1 counts as 1 (RFC 9110 section 2.5).</param>
    public static HandshakeError Parse(ReadOnlySpan<byte> version, out bool isHttp11)
    {
        isHttp11 = false;
        if (version.Length != Length || !version.StartsWith("HTTP/"u8) || version[6] != '.') return HandshakeError.HttpVersion;
        if (version[5] is < (byte)'0' or > (byte)'9' || version[7] is < (byte)'0' or > (byte)'9') return HandshakeError.HttpVersion;
        isHttp11 = version[7] != '0';
        return version[5] == '1' ? HandshakeError.None : HandshakeError.HttpVersionNotSupported;
    }
}
