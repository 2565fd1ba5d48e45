using System.Runtime.InteropServices;
using FastChat.Protocol;

namespace FastChat.Core.Tests.Protocol;

/// <summary>RFC 6455 section 5.2: headers read and written, bit for bit.</summary>
public sealed class FrameHeaderTests
{
    private static readonly long[] Lengths = [0, 1, 124, 125, 126, 127, 65534, 65535, 65536, 1 << 24, int.MaxValue, 1L << 33, long.MaxValue];

    [Fact]
    public void A_header_is_read_only_when_all_of_it_is_there()
    {
        Span<byte> bytes = stackalloc byte[FrameHeader.MaxLength];
        foreach (long length in Lengths)
        {
            foreach (uint? key in (uint?[])[null, 0, 0x3D21FA37])
            {
                int written = FrameWriter.WriteHeader(bytes, Opcode.Binary, length, maskKey: key);
                for (int n = 0; n < written; n++) Assert.False(FrameHeader.TryRead(bytes[..n], out _));
                Assert.True(FrameHeader.TryRead(bytes[..written], out var header));
                Assert.Equal((length, key ?? 0, (byte)written, key.HasValue), (header.PayloadLength, header.MaskKey, header.Length, header.Masked));
                Assert.Equal(written, FrameHeader.LengthOf(bytes[1]));
                Assert.Equal(written, FrameWriter.HeaderLength(length, key.HasValue));
                Assert.True(header.IsMinimal);
            }
        }
    }

    [Fact]
    public void Every_first_octet_is_taken_apart()
    {
        for (int first = 0; first < 256; first++)
        {
            Assert.True(FrameHeader.TryRead([(byte)first, 0], out var header));
            Assert.Equal((first & 0x80) != 0, header.Fin);
            Assert.Equal((first & 0x40) != 0, header.Rsv1);
            Assert.Equal((first & 0x30) != 0, header.Rsv23);
            Assert.Equal((Opcode)(first & 15), header.Opcode);
            Assert.Equal((first & 8) != 0, header.IsControl);
        }
    }

    [Fact]
    public void What_is_written_is_what_the_RFC_draws()
    {
        Span<byte> bytes = stackalloc byte[FrameHeader.MaxLength];
        uint key = MemoryMarshal.Read<uint>(Frames.Key);
        foreach (int length in (int[])[0, 1, 125, 126, 300, 65535, 65536, 70_000])
        {
            foreach (var opcode in Enum.GetValues<Opcode>())
            {
                foreach (bool fin in (bool[])[true, false])
                {
                    foreach (bool compressed in (bool[])[true, false])
                    {
                        int plain = FrameWriter.WriteHeader(bytes, opcode, length, fin, compressed);
                        Assert.Equal(Frames.Frame(EndpointRole.Client, opcode, [], fin, compressed ? 4 : 0, declared: length), bytes[..plain].ToArray());
                        int masked = FrameWriter.WriteHeader(bytes, opcode, length, fin, compressed, key);
                        Assert.Equal(Frames.Frame(EndpointRole.Server, opcode, [], fin, compressed ? 4 : 0, declared: length), bytes[..masked].ToArray());
                    }
                }
            }
        }
    }

    [Fact]
    public void A_length_in_too_long_a_form_is_not_minimal()
    {
        Assert.True(FrameHeader.TryRead([0x82, 126, 0, 125], out var header));
        Assert.False(header.IsMinimal);
        Assert.True(FrameHeader.TryRead([0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], out header));
        Assert.False(header.IsMinimal);
        Assert.True(FrameHeader.TryRead([0x82, 0xFE, 0, 126, 1, 2, 3, 4], out header));
        Assert.True(header.IsMinimal);
        Assert.True(FrameHeader.TryRead([0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4], out header));
        Assert.True(header.IsMinimal);
        Assert.Equal(65536, header.PayloadLength);
    }

    [Fact]
    public void RSV1_is_allowed_on_the_first_frame_of_a_data_message_alone()
    {
        for (int first = 0; first < 256; first++)
        {
            bool reserved = (first & 0x30) != 0 || ((first & 0x40) != 0 && (first & 15) is not (1 or 2));
            Assert.Equal(reserved, FrameHeader.CheckStart((byte)first, 0x80, EndpointRole.Server, rsv1Allowed: true) == FrameError.ReservedBits);
            Assert.Equal((first & 0x70) != 0, FrameHeader.CheckStart((byte)first, 0x80, EndpointRole.Server, rsv1Allowed: false) == FrameError.ReservedBits);
        }
    }
}
