using System.Buffers.Binary;
using FastChat.Protocol;

namespace FastChat.Core.Tests.Protocol;

/// <summary>Frames as RFC 6455 section 5.2 draws them, written by nobody's code but this; also the ones that are forbidden.</summary>
internal static class Frames
{
    public static readonly byte[] Key = [0x37, 0xFA, 0x21, 0x3D];

    /// <summary>A frame to an endpoint of this role: to a server it is masked.</summary>
    /// <param name="to">Who reads it.</param>
    /// <param name="opcode">Its low four bits.</param>
    /// <param name="payload">Unmasked.</param>
    /// <param name="fin">FIN.</param>
    /// <param name="rsv">RSV1 is 4, RSV2 is 2, RSV3 is 1.</param>
    /// <param name="form">Octets of the length field: 1, 3 or 9; 0 for the shortest that holds it.</param>
    /// <param name="declared">The length to claim where it is not the payload's.</param>
    /// <param name="masked">Where it is not as the role wants it.</param>
    public static byte[] Frame(EndpointRole to, Opcode opcode, ReadOnlySpan<byte> payload, bool fin = true, int rsv = 0, int form = 0, long? declared = null, bool? masked = null)
    {
        long length = declared ?? payload.Length;
        bool mask = masked ?? to == EndpointRole.Server;
        if (form == 0) form = length <= 125 ? 1 : length <= 65535 ? 3 : 9;
        var bytes = new List<byte> { (byte)((fin ? 0x80 : 0) | (rsv << 4) | (int)opcode) };
        int marker = mask ? 0x80 : 0;
        Span<byte> wide = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(wide, length);
        if (form == 1) bytes.Add((byte)(marker | (int)length));
        else
        {
            bytes.Add((byte)(marker | (form == 3 ? 126 : 127)));
            bytes.AddRange(form == 3 ? wide[6..] : wide);
        }
        if (mask) bytes.AddRange(Key);
        for (int i = 0; i < payload.Length; i++) bytes.Add(mask ? (byte)(payload[i] ^ Key[i & 3]) : payload[i]);
        return [.. bytes];
    }

    public static byte[] Text(EndpointRole to, ReadOnlySpan<byte> payload, bool fin = true) => Frame(to, Opcode.Text, payload, fin);

    public static byte[] Binary(EndpointRole to, ReadOnlySpan<byte> payload, bool fin = true) => Frame(to, Opcode.Binary, payload, fin);

    public static byte[] Rest(EndpointRole to, ReadOnlySpan<byte> payload, bool fin = true) => Frame(to, Opcode.Continuation, payload, fin);

    public static byte[] Ping(EndpointRole to, ReadOnlySpan<byte> payload) => Frame(to, Opcode.Ping, payload);

    public static byte[] Pong(EndpointRole to, ReadOnlySpan<byte> payload) => Frame(to, Opcode.Pong, payload);

    public static byte[] Close(EndpointRole to, int code, ReadOnlySpan<byte> reason = default) =>
        Frame(to, Opcode.Close, [(byte)(code >> 8), (byte)code, .. reason]);

    /// <summary>One message in frames cut at the given indexes of its payload.</summary>
    public static byte[] Fragmented(EndpointRole to, Opcode opcode, ReadOnlySpan<byte> payload, int rsv = 0, params ReadOnlySpan<int> cuts)
    {
        var bytes = new List<byte>();
        int from = 0;
        for (int i = 0; i <= cuts.Length; i++)
        {
            bool last = i == cuts.Length;
            int end = last ? payload.Length : cuts[i];
            bytes.AddRange(Frame(to, i == 0 ? opcode : Opcode.Continuation, payload[from..end], last, i == 0 ? rsv : 0));
            from = end;
        }
        return [.. bytes];
    }

    /// <summary>Some octets that differ from their neighbours, so that none can be mistaken for another.</summary>
    public static byte[] Pattern(int length, int seed = 0)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) bytes[i] = (byte)((i * 7) + (i >> 8) + seed);
        return bytes;
    }
}
