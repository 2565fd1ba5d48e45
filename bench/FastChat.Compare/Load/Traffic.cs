using System.Buffers.Binary;
using System.Runtime.InteropServices;
using FastChat.Compare.Runs;

namespace FastChat.Compare.Load;

/// <summary>
/// Everything a scenario sends, made beforehand: some batches of masked frames, and where in one long text each one's payload lies. Written
/// against RFC 6455 section 5 alone, so that client and server do not share a mistake.
/// </summary>
internal sealed class Traffic
{
    // Payloads of neighbouring messages differ: each begins somewhere else in the text.
    private const int Spread = 4096;
    private const int Stride = 94;

    private readonly byte[] _text;
    private readonly byte[][] _batches;
    private readonly int _size;
    private readonly int _perWrite;

    public Traffic(Scenario scenario)
    {
        (_size, _perWrite) = (scenario.Size, scenario.PerWrite);
        Opcode = scenario.Payload == PayloadKind.Binary ? 2 : 1;
        var random = new Random(scenario.Size);
        _text = new byte[scenario.Size + Spread];
        random.NextBytes(_text);
        if (scenario.Payload == PayloadKind.TwoByteText)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(scenario.Size % 2, 0);
            // U+0400 to U+042F: D0 and a continuation.
            for (int i = 0; i < _text.Length; i++) _text[i] = i % 2 == 0 ? (byte)0xD0 : (byte)(0x80 + _text[i] % 48);
        }
        int frame = HeaderLength(_size) + 4 + _size;
        _batches = new byte[Math.Clamp((4 << 20) / (frame * _perWrite), 4, 64)][];
        for (int b = 0; b < _batches.Length; b++)
        {
            _batches[b] = new byte[frame * _perWrite];
            for (int m = 0; m < _perWrite; m++) WriteFrame(_batches[b].AsSpan(m * frame), Opcode, Payload(b, m), random.Next());
        }
    }

    /// <summary>Of every message.</summary>
    public int Opcode { get; }

    /// <summary>How many batches there are; a connection sends them in turn.</summary>
    public int Batches => _batches.Length;

    /// <summary>The frames of one write.</summary>
    public byte[] Batch(int batch) => _batches[batch];

    /// <summary>What the echo of a message of a batch must be.</summary>
    public ReadOnlySpan<byte> Payload(int batch, int message) => _text.AsSpan(((batch * _perWrite + message) * Stride) & (Spread - 2), _size);

    /// <summary>Writes a whole masked frame (RFC 6455 section 5.2).</summary>
    /// <returns>Its length.</returns>
    public static int WriteFrame(Span<byte> destination, int opcode, ReadOnlySpan<byte> payload, int key)
    {
        int header = HeaderLength(payload.Length);
        destination[0] = (byte)(0x80 | opcode);
        destination[1] = (byte)(0x80 | (header == 2 ? payload.Length : header == 4 ? 126 : 127));
        if (header == 4) BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)payload.Length);
        if (header == 10) BinaryPrimitives.WriteInt64BigEndian(destination[2..], payload.Length);
        Span<byte> mask = stackalloc byte[4];
        MemoryMarshal.Write(mask, key);
        mask.CopyTo(destination[header..]);
        for (int i = 0; i < payload.Length; i++) destination[header + 4 + i] = (byte)(payload[i] ^ mask[i & 3]);
        return header + 4 + payload.Length;
    }

    private static int HeaderLength(int payload) => payload <= 125 ? 2 : payload <= ushort.MaxValue ? 4 : 10;
}
