using System.Buffers;
using FastChat.Protocol;
using FastChat.TestKit;
using static FastChat.Core.Tests.Protocol.Frames;

namespace FastChat.Core.Tests.Protocol;

/// <summary>RFC 6455 section 10.4: limits, judged by what a header claims, before a byte is rented for it.</summary>
public sealed class MessageReaderLimitTests
{
    private const EndpointRole S = EndpointRole.Server;

    [Theory]
    [InlineData(100)]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(1000)]
    [InlineData(65535)]
    [InlineData(65536)]
    public void A_frame_at_the_limit_passes_and_one_octet_more_fails_by_its_header(int limit)
    {
        byte[] payload = Pattern(limit);
        var replay = new ReaderReplay { MaxFrame = limit };
        foreach (bool fast in (bool[])[true, false])
            Assert.Equal([$"Binary:{Convert.ToHexString(payload)}"], replay.Read(Binary(S, payload), [], joined: true, fast).Events);
        byte[] header = Frame(S, Opcode.Binary, [], declared: limit + 1);
        var failed = replay.Expect(header, "Error:FrameTooBig");
        Assert.Equal(header.Length, failed.FailedAt);
        Assert.Equal(0, replay.Pool.Rents);
        Assert.Equal(CloseCode.MessageTooBig, FrameErrors.CloseCodeOf(FrameError.FrameTooBig));
    }

    [Theory]
    [InlineData(1L << 20)]
    [InlineData(int.MaxValue)]
    [InlineData(1L << 32)]
    [InlineData(long.MaxValue)]
    public void A_length_of_any_size_costs_nothing(long claimed)
    {
        foreach (var opcode in (Opcode[])[Opcode.Text, Opcode.Binary])
        {
            var replay = new ReaderReplay { MaxFrame = 1000 };
            replay.Expect(Frame(S, opcode, "some of it"u8, declared: claimed), "Error:FrameTooBig");
            replay.Expect(Frame(S, opcode, "some of it"u8, fin: false, declared: claimed), "Error:FrameTooBig");
            Assert.Equal(0, replay.Pool.Rents);
        }
    }

    [Fact]
    public void A_message_limit_holds_over_all_fragments()
    {
        var replay = new ReaderReplay { MaxMessage = 10 };
        byte[] payload = Pattern(11);
        string ten = $"Binary:{Convert.ToHexString(payload.AsSpan(0, 10))}";
        for (int cut = 0; cut <= 10; cut++)
        {
            replay.Expect(Fragmented(S, Opcode.Binary, payload.AsSpan(0, 10), 0, cut), ten);
            byte[] tooLong = Fragmented(S, Opcode.Binary, payload, 0, cut);
            Assert.Equal(6 + cut + 6, replay.Expect(tooLong, "Error:MessageTooBig").FailedAt);
            Assert.InRange(replay.Pool.PeakBytes, 0, 10 + 7);
        }
        replay.Expect(Binary(S, payload), "Error:MessageTooBig");
        replay.Expect(Binary(S, payload.AsSpan(0, 10)), ten);
    }

    [Fact]
    public void A_full_message_may_still_be_followed_by_empty_fragments()
    {
        var replay = new ReaderReplay { MaxMessage = 10 };
        string ten = $"Text:{Convert.ToHexString("0123456789"u8)}";
        replay.Expect(Fragmented(S, Opcode.Text, "0123456789"u8, 0, 10), ten);
        replay.Expect(Fragmented(S, Opcode.Text, "0123456789"u8, 0, 0, 5, 10, 10, 10), ten);
    }

    [Fact]
    public void Limits_are_of_each_message_alone()
    {
        var replay = new ReaderReplay { MaxMessage = 4, MaxFrame = 3 };
        byte[] stream = [.. Fragmented(S, Opcode.Text, "abcd"u8, 0, 3), .. Fragmented(S, Opcode.Text, "efgh"u8, 0, 1), .. Text(S, "ijk"u8), .. Ping(S, Pattern(100))];
        replay.Expect(stream, "Text:61626364", "Text:65666768", "Text:696A6B", $"Ping:{Convert.ToHexString(Pattern(100))}");
        replay.Expect(Text(S, "lmno"u8), "Error:FrameTooBig");
    }

    [Fact]
    public void Memory_follows_what_has_come_and_not_what_was_claimed()
    {
        var pool = new TrackingArrayPool();
        using var reader = new MessageReader(S, 1 << 28, 1 << 28, pool);
        var input = new ReadOnlySequence<byte>(Frame(S, Opcode.Binary, Pattern(100), fin: false, declared: 1 << 28));
        Assert.Equal(ReadEvent.NeedMore, reader.Read(ref input, out _));
        Assert.InRange(pool.PeakBytes, 100, 1024);
    }

    [Fact]
    public void Empty_fragments_without_end_rent_nothing()
    {
        var pool = new TrackingArrayPool();
        using var reader = new MessageReader(S, 100, 100, pool);
        var first = new ReadOnlySequence<byte>(Text(S, [], fin: false));
        Assert.Equal(ReadEvent.NeedMore, reader.Read(ref first, out _));
        for (int i = 0; i < 1000; i++)
        {
            var next = new ReadOnlySequence<byte>(Rest(S, [], fin: false));
            Assert.Equal(ReadEvent.NeedMore, reader.Read(ref next, out _));
            Assert.True(next.IsEmpty);
        }
        Assert.Equal(0, pool.Rents);
    }
}
