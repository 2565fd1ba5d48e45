using FastChat.Protocol;
using static FastChat.Core.Tests.Protocol.Frames;

namespace FastChat.Core.Tests.Protocol;

/// <summary>RFC 6455 section 5.4: messages in fragments, with control frames in between.</summary>
public sealed class MessageReaderFragmentTests
{
    private static readonly string[] HelloAndPing = ["Ping:70", "Text:48656C6C6F"];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_message_is_whole_however_its_payload_is_cut(bool server)
    {
        var role = server ? EndpointRole.Server : EndpointRole.Client;
        byte[] payload = Pattern(40);
        string expected = $"Binary:{Convert.ToHexString(payload)}";
        var replay = new ReaderReplay { Role = role };
        for (int cut = 0; cut <= payload.Length; cut++) replay.Expect(Fragmented(role, Opcode.Binary, payload, 0, cut), expected);
        replay.Expect(Fragmented(role, Opcode.Binary, payload, 0, [.. Enumerable.Range(0, 41)]), expected);
        replay.Expect(Fragmented(role, Opcode.Binary, payload, 0, 0, 0, 13, 13, 40), expected);
        replay.Expect(Fragmented(role, Opcode.Text, [], 0, 0, 0), "Text:");
    }

    [Fact]
    public void Control_frames_may_come_between_fragments()
    {
        const EndpointRole S = EndpointRole.Server;
        for (int cut = 0; cut <= 5; cut++)
        {
            byte[] stream = [.. Text(S, "Hello"u8[..cut], fin: false), .. Ping(S, "p"u8), .. Rest(S, "Hello"u8[cut..])];
            new ReaderReplay().Expect(stream, HelloAndPing);
        }
        byte[] many =
        [
            .. Pong(S, []), .. Binary(S, [1], fin: false), .. Ping(S, [2]), .. Pong(S, [3]), .. Rest(S, [4], fin: false), .. Ping(S, Pattern(125)),
            .. Rest(S, []), .. Ping(S, [5]), .. Close(S, 1000),
        ];
        new ReaderReplay().Expect(many, "Pong:", "Ping:02", "Pong:03", $"Ping:{Convert.ToHexString(Pattern(125))}", "Binary:0104", "Ping:05", "Close:03E8");
    }

    [Fact]
    public void A_close_between_fragments_is_told_and_the_message_is_not()
    {
        const EndpointRole S = EndpointRole.Server;
        new ReaderReplay().Expect([.. Text(S, "half"u8, fin: false), .. Close(S, 1001)], "Close:03E9");
    }

    [Fact]
    public void Messages_follow_one_another_in_fragments_and_whole()
    {
        const EndpointRole S = EndpointRole.Server;
        byte[] stream =
        [
            .. Text(S, "a"u8, fin: false), .. Rest(S, "b"u8), .. Binary(S, [1]), .. Binary(S, [2], fin: false), .. Rest(S, [3]), .. Text(S, "c"u8),
        ];
        new ReaderReplay().Expect(stream, "Text:6162", "Binary:01", "Binary:0203", "Text:63");
    }

    [Fact]
    public void A_reader_holds_memory_only_while_a_message_is_half_read()
    {
        var pool = new FastChat.TestKit.TrackingArrayPool();
        using var reader = new MessageReader(EndpointRole.Server, 1 << 20, 1 << 20, pool);
        var first = new System.Buffers.ReadOnlySequence<byte>(Text(EndpointRole.Server, "half"u8, fin: false));
        Assert.Equal(ReadEvent.NeedMore, reader.Read(ref first, out _));
        Assert.Equal(1, pool.Outstanding);
        var second = new System.Buffers.ReadOnlySequence<byte>(Rest(EndpointRole.Server, "whole"u8));
        Assert.Equal(ReadEvent.Message, reader.Read(ref second, out _));
        Assert.Equal(1, pool.Outstanding);
        reader.Release();
        Assert.Equal(0, pool.Outstanding);
    }
}
