using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastChat.Protocol;

/// <summary>The header of one frame (RFC 6455 section 5.2).</summary>
/// <remarks>
/// <code>
///   0 1 2 3 4 5 6 7 8 9 . . .     15
///  +-+-+-+-+-------+-+-------------+-------------------------------+
///  |F|R|R|R| opcode|M| length (7)  | length (16/64) if 126/127 ...  |
///  |I|S|S|S|  (4)  |A|             +-------------------------------+
///  |N|V|V|V|       |S|             | masking key (32) if MASK ...   |
///  +-+-+-+-+-------+-+-------------+-------------------------------+
/// </code>
/// </remarks>
[StructLayout(LayoutKind.Auto)]
internal readonly struct FrameHeader
{
    /// <summary>The longest header: two octets, a 64-bit length, a mask.</summary>
    public const int MaxLength = 14;

    private readonly byte _first;

    private FrameHeader(byte first, bool masked, int length, long payloadLength, uint maskKey)
    {
        _first = first;
        Masked = masked;
        Length = (byte)length;
        PayloadLength = payloadLength;
        MaskKey = maskKey;
    }

    /// <summary>Octets of payload; negative where the peer set the most significant bit, which is forbidden.</summary>
    public long PayloadLength { get; }

    /// <summary>The four octets of the mask as they lie in memory; 0 without one.</summary>
    public uint MaskKey { get; }

    /// <summary>Octets of this header.</summary>
    public byte Length { get; }

    public bool Masked { get; }

    public bool Fin => (_first & 0x80) != 0;

    public bool Rsv1 => (_first & 0x40) != 0;

    /// <summary>RSV2 or RSV3, which no extension known here uses.</summary>
    public bool Rsv23 => (_first & 0x30) != 0;

    public Opcode Opcode => (Opcode)(_first & 0x0F);

    public bool IsControl => (_first & 0x08) != 0;

    /// <summary>Whether the length was written in the shortest form that holds it (section 5.2 demands it).</summary>
    public bool IsMinimal => (Length - (Masked ? 4 : 0)) switch { 4 => PayloadLength > 125, 10 => (ulong)PayloadLength > ushort.MaxValue, _ => true };

    /// <summary>Octets of the header whose first two octets are given.</summary>
    public static int LengthOf(byte second) => 2 + ((second & 0x7F) switch { 126 => 2, 127 => 8, _ => 0 }) + ((second & 0x80) >> 5);

    /// <summary>Reads the header at the start of <paramref name="source"/>; false where it is not all there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryRead(ReadOnlySpan<byte> source, out FrameHeader header)
    {
        if (source.Length >= 2)
        {
            byte second = source[1];
            int length = 2 + ((second & 0x80) >> 5);
            if ((second & 0x7F) >= 126) return TryReadLong(source, out header);
            if (source.Length >= length)
            {
                uint key = second >= 0x80 ? Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref MemoryMarshal.GetReference(source), 2)) : 0;
                header = new FrameHeader(source[0], second >= 0x80, length, second & 0x7F, key);
                return true;
            }
        }
        header = default;
        return false;
    }

    private static bool TryReadLong(ReadOnlySpan<byte> source, out FrameHeader header)
    {
        byte second = source[1];
        int length = LengthOf(second);
        if (source.Length < length)
        {
            header = default;
            return false;
        }
        bool masked = second >= 0x80;
        long payload = (second & 0x7F) == 126 ? BinaryPrimitives.ReadUInt16BigEndian(source[2..]) : BinaryPrimitives.ReadInt64BigEndian(source[2..]);
        uint key = masked ? MemoryMarshal.Read<uint>(source[(length - 4)..]) : 0;
        header = new FrameHeader(source[0], masked, length, payload, key);
        return true;
    }

    /// <summary>The rules that the first two octets alone can break; a peer that breaks one is failed without waiting for more.</summary>
    public static FrameError CheckStart(byte first, byte second, EndpointRole role, bool rsv1Allowed)
    {
        var opcode = (Opcode)(first & 0x0F);
        // 5.2: reserved bits are 0 unless an extension defines them; RFC 7692 section 6: RSV1 only on the first frame of a data message.
        if ((first & 0x70) != 0 && ((first & 0x70) != 0x40 || !rsv1Allowed || opcode is not (Opcode.Text or Opcode.Binary))) return FrameError.ReservedBits;
        if (opcode is > Opcode.Binary and < Opcode.Close or > Opcode.Pong) return FrameError.ReservedOpcode;
        if ((first & 0x08) != 0)
        {
            if ((first & 0x80) == 0) return FrameError.FragmentedControl; // 5.5: control frames MUST NOT be fragmented
            if ((second & 0x7F) > 125) return FrameError.ControlTooLong; // 5.5: at most 125 octets
        }
        // 5.1: a server closes on an unmasked frame, a client on a masked one.
        if ((second >= 0x80) != (role == EndpointRole.Server)) return role == EndpointRole.Server ? FrameError.MaskMissing : FrameError.MaskUnexpected;
        return FrameError.None;
    }
}
