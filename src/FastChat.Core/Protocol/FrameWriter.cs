using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace FastChat.Protocol;

/// <summary>Writes frames (RFC 6455 section 5.2), their length always in the shortest form.</summary>
internal static class FrameWriter
{
    private const byte Fin = 0x80;
    private const byte Rsv1 = 0x40;
    private const int SmallFrame = 4096;

    /// <summary>Octets of the header for a payload of this length.</summary>
    public static int HeaderLength(long payloadLength, bool masked) =>
        (payloadLength <= 125 ? 2 : payloadLength <= ushort.MaxValue ? 4 : 10) + (masked ? 4 : 0);

    /// <summary>Appends a whole frame; its payload is copied, and masked where there is a key.</summary>
    /// <returns>The octets written.</returns>
    /// <inheritdoc cref="WriteHeader"/>
    public static int Write(IBufferWriter<byte> target, Opcode opcode, ReadOnlySpan<byte> payload, bool compressed = false, uint? maskKey = null, bool fin = true)
    {
        int header = HeaderLength(payload.Length, maskKey.HasValue);
        var span = target.GetSpan(header + payload.Length); // one request for room covers both
        WriteHeader(span, opcode, payload.Length, fin, compressed, maskKey);
        if (maskKey is { } key) Masking.Apply(payload, span[header..], key, 0);
        else payload.CopyTo(span[header..]);
        target.Advance(header + payload.Length);
        return header + payload.Length;
    }

    /// <inheritdoc cref="Write(IBufferWriter{byte}, Opcode, ReadOnlySpan{byte}, bool, uint?, bool)"/>
    public static long Write(IBufferWriter<byte> target, Opcode opcode, in ReadOnlySequence<byte> payload, bool compressed = false, uint? maskKey = null, bool fin = true)
    {
        if (payload.Length <= SmallFrame && payload.IsSingleSegment) return Write(target, opcode, payload.FirstSpan, compressed, maskKey, fin);
        int header = WriteHeader(target.GetSpan(FrameHeader.MaxLength), opcode, payload.Length, fin, compressed, maskKey);
        target.Advance(header);
        int offset = 0;
        foreach (var piece in payload)
        {
            var rest = piece.Span;
            while (!rest.IsEmpty)
            {
                var span = target.GetSpan();
                int length = Math.Min(rest.Length, span.Length);
                if (maskKey is { } key) Masking.Apply(rest[..length], span[..length], key, offset & 3);
                else rest[..length].CopyTo(span);
                target.Advance(length);
                rest = rest[length..];
                offset += length;
            }
        }
        return header + payload.Length;
    }

    /// <summary>Writes a header to the start of <paramref name="destination"/> (at least <see cref="FrameHeader.MaxLength"/> long).</summary>
    /// <param name="destination">Where it goes.</param>
    /// <param name="opcode">What the frame carries.</param>
    /// <param name="payloadLength">Octets that follow.</param>
    /// <param name="fin">Whether this is the message's last frame.</param>
    /// <param name="compressed">RSV1 (RFC 7692 section 6), on a message's first frame.</param>
    /// <param name="maskKey">A client's mask as it is to lie in memory; null for a server.</param>
    /// <returns>The octets written.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int WriteHeader(Span<byte> destination, Opcode opcode, long payloadLength, bool fin = true, bool compressed = false, uint? maskKey = null)
    {
        byte mask = maskKey.HasValue ? (byte)0x80 : (byte)0;
        destination[0] = (byte)((byte)opcode | (fin ? Fin : 0) | (compressed ? Rsv1 : 0));
        int length = 2;
        if (payloadLength <= 125) destination[1] = (byte)(mask | (byte)payloadLength);
        else if (payloadLength <= ushort.MaxValue)
        {
            destination[1] = (byte)(mask | 126);
            BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)payloadLength);
            length = 4;
        }
        else
        {
            destination[1] = (byte)(mask | 127);
            BinaryPrimitives.WriteInt64BigEndian(destination[2..], payloadLength);
            length = 10;
        }
        if (maskKey is { } key)
        {
            Unsafe.WriteUnaligned(ref destination[length], key);
            length += 4;
        }
        return length;
    }
}
