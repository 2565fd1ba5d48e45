using FastChat.Protocol;
using static FastChat.Core.Tests.Protocol.Frames;

namespace FastChat.Core.Tests.Protocol;

/// <summary>RFC 6455 sections 5.1, 5.2 and 5.5: what a frame may look like, octet by octet, and how early a bad one is refused.</summary>
public sealed class MessageReaderRulesTests
{
    private const string K = "37FA213D";

    /// <summary>Frames to a server; what breaks the rule; how many octets it takes to know.</summary>
    public static TheoryData<string, string, int> Refused => new()
    {
        // 5.2: reserved bits without an extension
        { "C180" + K, "ReservedBits", 2 },
        { "A180" + K, "ReservedBits", 2 },
        { "9180" + K, "ReservedBits", 2 },
        { "F280" + K, "ReservedBits", 2 },
        { "C980" + K, "ReservedBits", 2 },
        { "9880" + K, "ReservedBits", 2 },
        { "4080" + K, "ReservedBits", 2 },
        // 5.5: control frames
        { "0980" + K, "FragmentedControl", 2 },
        { "0A80" + K, "FragmentedControl", 2 },
        { "0882" + K, "FragmentedControl", 2 },
        { "89FE007E" + K, "ControlTooLong", 2 },
        { "8AFE007D" + K, "ControlTooLong", 2 },
        { "88FF0000000000000001" + K, "ControlTooLong", 2 },
        // 5.1: masks
        { "8100", "MaskMissing", 2 },
        { "8205", "MaskMissing", 2 },
        { "8900", "MaskMissing", 2 },
        { "8800", "MaskMissing", 2 },
        { "827E00800102", "MaskMissing", 2 },
        // 5.2: the shortest form of a length
        { "82FE0000" + K, "LengthNotMinimal", 8 },
        { "81FE007D" + K, "LengthNotMinimal", 8 },
        { "82FF0000000000000000" + K, "LengthNotMinimal", 14 },
        { "82FF000000000000007E" + K, "LengthNotMinimal", 14 },
        { "82FF000000000000FFFF" + K, "LengthNotMinimal", 14 },
        // 5.2: the most significant bit of a 64-bit length
        { "82FF8000000000000000" + K, "LengthNegative", 14 },
        { "82FFFFFFFFFFFFFFFFFF" + K, "LengthNegative", 14 },
        // 5.4: fragments
        { "8080" + K, "ContinuationWithoutStart", 6 },
        { "0080" + K, "ContinuationWithoutStart", 6 },
        { "8180" + K + "8080" + K, "ContinuationWithoutStart", 12 },
        { "0180" + K + "8180" + K, "MessageInsideMessage", 12 },
        { "0280" + K + "0180" + K, "MessageInsideMessage", 12 },
        { "0181" + K + "56" + "8980" + K + "8280" + K, "MessageInsideMessage", 19 },
        { "0180" + K + "8080" + K + "8080" + K, "ContinuationWithoutStart", 18 },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_frame_that_breaks_a_rule_fails_as_soon_as_it_can_be_known(string hex, string error, int octets)
    {
        var reading = new ReaderReplay().Everywhere(Convert.FromHexString(hex));
        Assert.Equal($"Error:{error}", reading.Events[^1]);
        Assert.Equal(octets, reading.FailedAt);
        Assert.Equal(CloseCode.ProtocolError, FrameErrors.CloseCodeOf(Enum.Parse<FrameError>(error)));
    }

    [Theory]
    [InlineData(EndpointRole.Server)]
    [InlineData(EndpointRole.Client)]
    internal void Reserved_opcodes_are_refused_and_the_others_are_not(EndpointRole role)
    {
        for (int opcode = 0; opcode < 16; opcode++)
        {
            bool reserved = opcode is (> 2 and < 8) or > 10;
            var reading = new ReaderReplay { Role = role }.Everywhere(Frame(role, (Opcode)opcode, []));
            Assert.Equal(reserved, reading.Events is ["Error:ReservedOpcode"]);
            if (reserved) Assert.Equal(2, reading.FailedAt);
        }
    }

    [Fact]
    public void A_client_refuses_what_is_masked_and_takes_what_is_not()
    {
        var client = new ReaderReplay { Role = EndpointRole.Client };
        var refused = client.Expect(Frame(EndpointRole.Client, Opcode.Text, "hi"u8, masked: true), "Error:MaskUnexpected");
        Assert.Equal(2, refused.FailedAt);
        client.Expect(Frame(EndpointRole.Client, Opcode.Text, "hi"u8), "Text:6869");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void All_length_forms_are_read_at_their_bounds(bool server)
    {
        var role = server ? EndpointRole.Server : EndpointRole.Client;
        foreach (int length in (int[])[0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 300])
        {
            byte[] payload = Pattern(length);
            new ReaderReplay { Role = role }.Expect(Binary(role, payload), $"Binary:{Convert.ToHexString(payload)}");
        }
        foreach (int length in (int[])[4096, 65534, 65535, 65536, 65537, 200_000])
        {
            byte[] payload = Pattern(length), frame = Binary(role, payload);
            string expected = $"Binary:{Convert.ToHexString(payload)}";
            var replay = new ReaderReplay { Role = role };
            foreach (bool joined in (bool[])[true, false])
                foreach (int[] cuts in (int[][])[[], [1], [2], [3], [9], [13], [14], [15], [4000], [length - 1], [5, 70, 71, 1000, 1003, 4001]])
                    Assert.Equal([expected], replay.Read(frame, cuts, joined, fast: joined).Events);
        }
    }

    [Fact]
    public void A_control_frame_holds_up_to_125_octets()
    {
        foreach (int length in (int[])[0, 1, 4, 124, 125])
        {
            byte[] payload = Pattern(length);
            string hex = Convert.ToHexString(payload);
            byte[] stream = [.. Ping(EndpointRole.Server, payload), .. Pong(EndpointRole.Server, payload), .. Frame(EndpointRole.Server, Opcode.Close, payload)];
            new ReaderReplay().Expect(stream, $"Ping:{hex}", $"Pong:{hex}", $"Close:{hex}");
        }
    }

    [Fact]
    public void A_mask_of_nought_is_a_mask()
    {
        byte[] frame = [0x81, 0x82, 0, 0, 0, 0, (byte)'o', (byte)'k', 0x89, 0x81, 0, 0, 0, 0, 7];
        new ReaderReplay().Expect(frame, "Text:6F6B", "Ping:07");
    }

    [Fact]
    public void Many_frames_in_one_arrival_come_out_in_order()
    {
        const EndpointRole S = EndpointRole.Server;
        byte[] stream = [.. Text(S, "a"u8), .. Ping(S, "b"u8), .. Binary(S, []), .. Pong(S, []), .. Text(S, "é"u8), .. Close(S, 1000)];
        new ReaderReplay().Expect(stream, "Text:61", "Ping:62", "Binary:", "Pong:", "Text:C3A9", "Close:03E8");
    }

    [Fact]
    public void Nothing_is_rented_for_frames_that_are_whole()
    {
        const EndpointRole S = EndpointRole.Server;
        var replay = new ReaderReplay();
        replay.Read([.. Binary(S, Pattern(5000)), .. Ping(S, Pattern(125)), .. Text(S, "text"u8)], [3, 4000], joined: true, fast: false);
        Assert.Equal(0, replay.Pool.Rents);
    }
}
