using System.Text;
using FastChat.Protocol;

namespace FastChat.Benchmarks.Support;

/// <summary>What the benchmarks send.</summary>
internal static class TestFrames
{
    /// <summary>A mask of seven-bit octets, so that masked ASCII is ASCII too.</summary>
    private const uint Key = 0x2B5C3D17;

    /// <summary>A whole frame as a client sends it.</summary>
    public static byte[] Masked(Opcode opcode, ReadOnlySpan<byte> payload, bool compressed = false)
    {
        byte[] frame = new byte[FrameWriter.HeaderLength(payload.Length, masked: true) + payload.Length];
        int header = FrameWriter.WriteHeader(frame, opcode, payload.Length, compressed: compressed, maskKey: Key);
        Masking.Apply(payload, frame.AsSpan(header), Key, 0);
        return frame;
    }

    /// <summary>The length of a server's frame with such a payload.</summary>
    public static int Answer(int payloadLength) => FrameWriter.HeaderLength(payloadLength, masked: false) + payloadLength;

    /// <summary>Octets that look random and are the same in each run.</summary>
    public static byte[] Bytes(int length)
    {
        byte[] bytes = new byte[length];
        new Random(7).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Lower-case letters.</summary>
    public static byte[] Ascii(int length)
    {
        byte[] bytes = Bytes(length);
        for (int i = 0; i < bytes.Length; i++) bytes[i] = (byte)('a' + bytes[i] % 26);
        return bytes;
    }

    /// <summary>JSON as a chat sends it, repeated up to about so many octets.</summary>
    public static byte[] ChatJson(int length)
    {
        var text = new StringBuilder("{\"type\":\"message\",\"message\":\"");
        for (int i = 0; text.Length < length - 2; i++) text.Append("Question ").Append(i).Append(" about the third chapter; ");
        text.Length = Math.Max(length - 2, 30);
        return Encoding.UTF8.GetBytes(text.Append("\"}").ToString());
    }
}
