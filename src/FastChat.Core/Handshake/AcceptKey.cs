using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace FastChat.Handshake;

/// <summary>
/// RFC 6455 section 4.2.2: Sec-WebSocket-Accept is the base64 of the SHA-1 of the client's key with a fixed GUID behind it. It proves that
/// the server speaks WebSocket and did not merely echo; it keeps no secret.
/// </summary>
internal static class AcceptKey
{
    public const int KeyLength = 24;
    public const int Length = 28;

    /// <summary>The answer to a request's key; null where it has none that is valid.</summary>
    public static string? Of(HttpRequestHead head)
    {
        if (head.Count("sec-websocket-key"u8, out var key) != 1 || !WebSocketUpgrade.IsKey(key)) return null;
        Span<byte> accept = stackalloc byte[Length];
        Compute(key, accept);
        return Encoding.ASCII.GetString(accept);
    }

    /// <param name="key">The client's key as it stands in the header, 24 bytes.</param>
    /// <param name="accept">Takes 28 bytes.</param>
    public static void Compute(ReadOnlySpan<byte> key, Span<byte> accept)
    {
        var guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"u8;
        Span<byte> input = stackalloc byte[KeyLength + 36];
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, KeyLength);
        key.CopyTo(input);
        guid.CopyTo(input[KeyLength..]);
#pragma warning disable CA5350 // The RFC wants SHA-1, and nothing depends on its strength.
        SHA1.HashData(input, hash);
#pragma warning restore CA5350
        Base64.EncodeToUtf8(hash, accept, out _, out _);
    }
}
