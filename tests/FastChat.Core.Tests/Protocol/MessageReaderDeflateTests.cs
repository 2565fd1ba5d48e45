using FastChat.Core.Tests.Protocol.Compression;
using FastChat.Protocol;
using FastChat.Protocol.Compression;
using static FastChat.Core.Tests.Protocol.Frames;

namespace FastChat.Core.Tests.Protocol;

/// <summary>RFC 7692 sections 6 and 7.2.2: compressed messages, whole and in fragments, good and bad.</summary>
public sealed class MessageReaderDeflateTests : IDisposable
{
    private const EndpointRole S = EndpointRole.Server;

    private readonly CompressionPool _pool = new(new PerMessageDeflateOptions { Threshold = 0 });

    public void Dispose() => _pool.Dispose();

    public static TheoryData<bool, bool, int> Combinations
    {
        get
        {
            var all = new TheoryData<bool, bool, int>();
            foreach (bool server in (bool[])[true, false])
                foreach (bool takeover in (bool[])[true, false])
                    for (int bits = 9; bits <= 15; bits++) all.Add(server, takeover, bits);
            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public void Messages_of_every_kind_come_through(bool server, bool takeover, int bits)
    {
        var role = server ? EndpointRole.Server : EndpointRole.Client;
        var agreed = new PerMessageDeflateParameters(!takeover, !takeover, bits, bits);
        using var deflater = _pool.CreateDeflater(agreed, isServer: !server);
        var stream = new List<byte>();
        var expected = new List<string>();
        int number = 0;
        foreach (byte[] message in DeflateSamples.Messages().Where(m => m.Length < 5000))
        {
            var opcode = number++ % 3 == 2 ? Opcode.Binary : message.All(b => b < 128) ? Opcode.Text : Opcode.Binary;
            byte[]? compressed = DeflateSamples.Compress(deflater, message);
            byte[] payload = compressed ?? message;
            stream.AddRange(Fragmented(role, opcode, payload, compressed is null ? 0 : 4, number % 2 == 0 ? [] : [payload.Length / 3, payload.Length / 2]));
            expected.Add($"{opcode}:{Convert.ToHexString(message)}");
        }
        var replay = Replay(agreed, role);
        byte[] bytes = [.. stream];
        foreach (bool joined in (bool[])[true, false])
            foreach (int[] cuts in (int[][])[[], [bytes.Length / 2], [.. Enumerable.Range(1, bytes.Length - 1)], [1, 7, 8, 300, 333]])
                Assert.Equal(expected, replay.Read(bytes, cuts, joined, fast: joined).Events);
    }

    [Fact]
    public void Fragments_are_cut_anywhere_with_pings_between()
    {
        byte[] message = [.. "Hello, Hello, Hello, κόσμε, κόσμε 😀"u8];
        byte[] compressed = DeflateSamples.CompressWithDeflateStream(message);
        string expected = $"Text:{Convert.ToHexString(message)}";
        for (int cut = 0; cut <= compressed.Length; cut++)
        {
            byte[] stream = [.. Frame(S, Opcode.Text, compressed.AsSpan(0, cut), fin: false, rsv: 4), .. Ping(S, "p"u8), .. Rest(S, compressed.AsSpan(cut))];
            Replay().Expect(stream, "Ping:70", expected);
        }
    }

    [Theory]
    [InlineData("F248CDC9C90700", "Hello")] // RFC 7692 section 7.2.3.1
    [InlineData("F200110000", "Hello", true)] // 7.2.3.2: with the window of the message before
    [InlineData("000500FAFF48656C6C6F00", "Hello")] // 7.2.3.3: a block without compression
    [InlineData("F348CDC9C9070000", "Hello")] // 7.2.3.4: BFINAL
    [InlineData("F24805000000FFFFCAC9C90700", "Hello")] // 7.2.3.5: two blocks
    [InlineData("00", "")] // 7.2.3.6: nothing
    [InlineData("", "")]
    public void The_RFCs_own_examples_are_read(string hex, string text, bool second = false)
    {
        var keeps = Replay(new PerMessageDeflateParameters(false, false, 15, 15));
        byte[] hello = Frame(S, Opcode.Text, Convert.FromHexString("F248CDC9C90700"), rsv: 4);
        byte[] stream = Frame(S, Opcode.Text, Convert.FromHexString(hex), rsv: 4);
        string expected = $"Text:{Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(text))}";
        keeps.Expect([.. hello, .. stream], "Text:48656C6C6F", expected);
        if (!second) Replay().Expect(stream, expected);
    }

    [Fact]
    public void Uncompressed_messages_may_come_among_compressed_ones()
    {
        byte[] hello = Convert.FromHexString("F248CDC9C90700");
        byte[] stream =
        [
            .. Text(S, "plain"u8), .. Frame(S, Opcode.Text, hello, rsv: 4), .. Text(S, "pl"u8, fin: false), .. Rest(S, "ain"u8),
            .. Fragmented(S, Opcode.Binary, hello, 4, 3), .. Binary(S, [0xFF]),
        ];
        Replay().Expect(stream, "Text:706C61696E", "Text:48656C6C6F", "Text:706C61696E", "Binary:48656C6C6F", "Binary:FF");
    }

    [Theory]
    [InlineData(0x80, 4)]
    [InlineData(0x80, 2)]
    [InlineData(0x80, 1)]
    public void Reserved_bits_on_a_continuation_are_refused(int fin, int rsv)
    {
        byte[] stream = [.. Frame(S, Opcode.Text, [0xF2], fin: false, rsv: 4), .. Frame(S, Opcode.Continuation, [0x48], fin: fin != 0, rsv: rsv)];
        Replay().Expect(stream, "Error:ReservedBits");
    }

    [Theory]
    [InlineData(Opcode.Ping)]
    [InlineData(Opcode.Pong)]
    [InlineData(Opcode.Close)]
    public void RSV1_on_a_control_frame_is_refused(Opcode opcode) => Replay().Expect(Frame(S, opcode, [], rsv: 4), "Error:ReservedBits");

    [Theory]
    [InlineData("FFFFFFFF")]
    [InlineData("06")]
    [InlineData("000500FAFE48656C6C6F00")] // a stored block whose lengths disagree
    [InlineData("F248CDC9C9")] // cut off
    [InlineData("F20011000000")] // refers back beyond the start
    public void Data_that_do_not_inflate_are_refused(string hex)
    {
        byte[] payload = Convert.FromHexString(hex);
        Replay().Expect(Frame(S, Opcode.Binary, payload, rsv: 4), "Error:DeflateInvalid");
        for (int cut = 1; cut < payload.Length; cut++) Replay().Expect(Fragmented(S, Opcode.Binary, payload, 4, cut), "Error:DeflateInvalid");
        Assert.Equal(CloseCode.InvalidPayloadData, FrameErrors.CloseCodeOf(FrameError.DeflateInvalid));
    }

    [Fact]
    public void Bad_text_inside_fails_with_the_fragment_that_brings_it()
    {
        // Two stored blocks: the first with the bad octet, the second never to be needed.
        byte[] compressed = [0x00, 3, 0, 0xFC, 0xFF, (byte)'o', (byte)'k', 0xFF, 0x00, 2, 0, 0xFD, 0xFF, (byte)'x', (byte)'y', 0x00];
        for (int cut = 0; cut <= compressed.Length; cut++)
        {
            byte[] stream = Fragmented(S, Opcode.Text, compressed, 4, cut);
            var reading = Replay().Expect(stream, "Error:TextInvalid");
            Assert.Equal(6 + 8 + (cut < 8 ? 6 : 0), reading.FailedAt);
        }
    }

    [Fact]
    public void Text_that_ends_within_a_character_fails_at_its_end()
    {
        byte[] compressed = DeflateSamples.CompressWithDeflateStream([.. "half a character: "u8, 0xE2, 0x82]);
        Replay().Expect(Frame(S, Opcode.Text, compressed, rsv: 4), "Error:TextInvalid");
        Replay().Expect(Fragmented(S, Opcode.Text, compressed, 4, 5, compressed.Length), "Error:TextInvalid");
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(65_536)]
    public void A_bomb_costs_no_more_than_the_limit(int limit)
    {
        byte[] bomb = DeflateSamples.CompressWithDeflateStream(new byte[20_000_000]);
        var replay = Replay(limit: limit);
        foreach (int[] cuts in (int[][])[[], [100], [7, 200, 1000]])
        {
            Assert.Equal(["Error:MessageTooBig"], replay.Read(Fragmented(S, Opcode.Binary, bomb, 4, cuts), [], joined: true, fast: false).Events);
            Assert.InRange(replay.Pool.PeakBytes, limit, (2 * limit) + 1024);
        }
    }

    [Fact]
    public void The_limit_is_of_what_was_inflated_and_exact()
    {
        byte[] message = DeflateSamples.Json(1000);
        byte[] compressed = DeflateSamples.CompressWithDeflateStream(message);
        Replay(limit: 1000).Expect(Fragmented(S, Opcode.Text, compressed, 4, 10, compressed.Length), $"Text:{Convert.ToHexString(message)}");
        Assert.Equal("Error:MessageTooBig", Replay(limit: 999).Everywhere(Frame(S, Opcode.Text, compressed, rsv: 4)).Events[^1]);
        // The frame's own limit is of what comes over the wire.
        new ReaderReplay { MaxFrame = compressed.Length, Inflater = () => Inflater(default) }.Expect(Frame(S, Opcode.Text, compressed, rsv: 4), $"Text:{Convert.ToHexString(message)}");
        new ReaderReplay { MaxFrame = compressed.Length - 1, Inflater = () => Inflater(default) }.Expect(Frame(S, Opcode.Text, compressed, rsv: 4), "Error:FrameTooBig");
    }

    private ReaderReplay Replay(PerMessageDeflateParameters? agreed = null, EndpointRole role = S, int limit = 1 << 20) =>
        new() { Role = role, MaxMessage = limit, MaxFrame = 1 << 20, Inflater = () => Inflater(agreed ?? default, role) };

    private MessageInflater Inflater(PerMessageDeflateParameters agreed, EndpointRole role = S) =>
        _pool.CreateInflater(agreed.ServerMaxWindowBits == 0 ? new PerMessageDeflateParameters(true, true, 15, 15) : agreed, isServer: role == S);
}
