using FastChat.Protocol;
using static FastChat.Core.Tests.Protocol.Frames;

namespace FastChat.Core.Tests.Protocol;

/// <summary>RFC 6455 section 8.1: text is UTF-8, and the first octet with which it cannot be any more fails the connection.</summary>
public sealed class MessageReaderTextTests
{
    private static readonly byte[] Good = [.. "κό😀aßz€"u8, 0xF4, 0x8F, 0xBF, 0xBF, 0xEE, 0x80, 0x80, 0, 0x7F];

    public static TheoryData<string> Bad =>
    [
        "80", "BF", "FF", "FE", "C0AF", "C1BF", "E080AF", "E09FBF", "F08080AF", "F08FBFBF", "EDA080", "EDBFBF", "EDA080EDB080",
        "F4908080", "F5808080", "F8888080", "C241", "E2C2", "E28241", "F0904141", "F0908041", "C2C2", "CEBAE1BDB9CF83CEBCCEB5F4908080656469746564",
    ];

    [Theory]
    [MemberData(nameof(Bad))]
    public void The_first_bad_octet_fails_the_connection_wherever_frames_and_arrivals_end(string hex)
    {
        byte[] bad = [.. "ok é"u8, .. Convert.FromHexString(hex), .. "and more"u8];
        int firstBad = Enumerable.Range(1, bad.Length).First(n => !Utf8Samples.Judge(bad.AsSpan(0, n)).Possible);
        foreach (var role in (EndpointRole[])[EndpointRole.Server, EndpointRole.Client])
        {
            var replay = new ReaderReplay { Role = role };
            int header = role == EndpointRole.Server ? 6 : 2;
            var whole = replay.Expect(Text(role, bad), "Error:TextInvalid");
            Assert.Equal(header + firstBad, whole.FailedAt);
            for (int cut = 0; cut <= bad.Length; cut++)
            {
                var reading = replay.Expect(Fragmented(role, Opcode.Text, bad, 0, cut), "Error:TextInvalid");
                Assert.Equal(header + firstBad + (firstBad > cut ? header : 0), reading.FailedAt);
            }
        }
    }

    [Fact]
    public void A_character_may_be_cut_anywhere_between_frames_and_arrivals()
    {
        string expected = $"Text:{Convert.ToHexString(Good)}";
        foreach (var role in (EndpointRole[])[EndpointRole.Server, EndpointRole.Client])
        {
            var replay = new ReaderReplay { Role = role };
            replay.Expect(Text(role, Good), expected);
            for (int cut = 0; cut <= Good.Length; cut++) replay.Expect(Fragmented(role, Opcode.Text, Good, 0, cut), expected);
            replay.Expect(Fragmented(role, Opcode.Text, Good, 0, [.. Enumerable.Range(1, Good.Length)]), expected);
        }
    }

    [Fact]
    public void A_ping_inside_of_a_character_does_no_harm()
    {
        const EndpointRole S = EndpointRole.Server;
        byte[] stream = [.. Text(S, [0xF0, 0x9F], fin: false), .. Ping(S, [0xFF]), .. Rest(S, [0x98], fin: false), .. Pong(S, [0x80]), .. Rest(S, [0x80])];
        new ReaderReplay().Expect(stream, "Ping:FF", "Pong:80", "Text:F09F9880");
    }

    [Fact]
    public void A_message_that_ends_within_a_character_fails_at_its_end()
    {
        const EndpointRole S = EndpointRole.Server;
        foreach (byte[] broken in Utf8Samples.BrokenOff)
        {
            byte[] text = [.. "before "u8, .. broken];
            byte[] whole = Text(S, text);
            Assert.Equal(whole.Length, new ReaderReplay().Expect(whole, "Error:TextInvalid").FailedAt);
            byte[] fragments = Fragmented(S, Opcode.Text, text, 0, text.Length);
            Assert.Equal(fragments.Length, new ReaderReplay().Expect(fragments, "Error:TextInvalid").FailedAt);
        }
    }

    [Fact]
    public void What_one_message_ended_with_has_no_say_in_the_next()
    {
        const EndpointRole S = EndpointRole.Server;
        new ReaderReplay().Expect([.. Text(S, "é"u8), .. Text(S, [0xA9])], "Text:C3A9", "Error:TextInvalid");
        new ReaderReplay().Expect([.. Text(S, "é"u8, fin: false), .. Rest(S, "é"u8), .. Text(S, [0xA9])], "Text:C3A9C3A9", "Error:TextInvalid");
        new ReaderReplay().Expect([.. Binary(S, [0xC3]), .. Text(S, [0xA9])], "Binary:C3", "Error:TextInvalid");
    }

    [Fact]
    public void Binary_need_not_be_text()
    {
        byte[] all = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        new ReaderReplay().Expect(Binary(EndpointRole.Server, all), $"Binary:{Convert.ToHexString(all)}");
        new ReaderReplay().Expect(Fragmented(EndpointRole.Server, Opcode.Binary, all, 0, 128, 200), $"Binary:{Convert.ToHexString(all)}");
    }

    [Fact]
    public void Long_text_with_one_bad_octet_fails_there()
    {
        const EndpointRole S = EndpointRole.Server;
        for (int seed = 0; seed < 20; seed++)
        {
            byte[] text = Utf8Samples.Exactly(3000, seed);
            int at = new Random(seed).Next(text.Length);
            text[at] = 0xFF;
            byte[] frame = Text(S, text);
            var bytewise = new ReaderReplay().Read(frame, [.. Enumerable.Range(1, frame.Length - 1)], joined: true, fast: true);
            Assert.Equal(["Error:TextInvalid"], bytewise.Events);
            Assert.Equal(8 + at + 1, bytewise.FailedAt);
            Assert.Equal(["Error:TextInvalid"], new ReaderReplay().Read(frame, [100, 777, 2000], joined: false, fast: false).Events);
        }
    }
}
