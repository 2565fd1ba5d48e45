using System.Text;
using FastChat.Protocol;

namespace FastChat.Core.Tests.Protocol;

/// <summary>RFC 6455 sections 5.5.1 and 7.4: what a close frame may say, both ways.</summary>
public sealed class CloseFrameTests
{
    [Fact]
    public void Exactly_these_codes_may_be_sent_and_received()
    {
        int[] allowed = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, .. Enumerable.Range(3000, 2000)];
        var refused = Enumerable.Range(0, 65536).Except(allowed);
        Assert.All(allowed, code => Assert.True(CloseFrame.IsSendable(code)));
        Assert.All(refused, code => Assert.False(CloseFrame.IsSendable(code)));
        foreach (int code in (int[])[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
            Assert.Equal(FrameError.CloseCodeInvalid, CloseFrame.Read([(byte)(code >> 8), (byte)code], out _, out _));
        foreach (int code in allowed)
        {
            Assert.Equal(FrameError.None, CloseFrame.Read([(byte)(code >> 8), (byte)code], out var read, out string reason));
            Assert.Equal(((CloseCode)code, ""), (read, reason));
        }
    }

    [Fact]
    public void Nothing_at_all_is_1005_and_one_octet_is_an_error()
    {
        Assert.Equal(FrameError.None, CloseFrame.Read([], out var code, out string reason));
        Assert.Equal((CloseCode.NoStatusReceived, ""), (code, reason));
        Assert.Equal(FrameError.CloseTooShort, CloseFrame.Read([3], out _, out _));
        Assert.Equal(CloseCode.ProtocolError, FrameErrors.CloseCodeOf(FrameError.CloseTooShort));
        Assert.Equal(CloseCode.ProtocolError, FrameErrors.CloseCodeOf(FrameError.CloseCodeInvalid));
    }

    [Fact]
    public void A_reason_is_UTF8_or_refused()
    {
        Assert.Equal(FrameError.None, CloseFrame.Read([3, 0xE8, .. "gehört 😀"u8], out _, out string reason));
        Assert.Equal("gehört 😀", reason);
        Assert.Equal(FrameError.None, CloseFrame.Read([3, 0xE8, .. new byte[123]], out _, out reason));
        Assert.Equal(new string('\0', 123), reason);
        foreach (byte[] bad in Utf8Samples.BrokenOff.Append([0x80]).Append([0xED, 0xA0, 0x80]))
            Assert.Equal(FrameError.CloseReasonInvalid, CloseFrame.Read([3, 0xE8, .. "x"u8, .. bad], out _, out _));
        Assert.Equal(CloseCode.InvalidPayloadData, FrameErrors.CloseCodeOf(FrameError.CloseReasonInvalid));
    }

    [Theory]
    [InlineData("", 2)]
    [InlineData(null, 2)]
    [InlineData("bye", 5)]
    public void What_is_written_is_read_again(string? reason, int length)
    {
        Span<byte> payload = stackalloc byte[125];
        Assert.Equal(length, CloseFrame.Write(payload, CloseCode.GoingAway, reason));
        Assert.Equal(FrameError.None, CloseFrame.Read(payload[..length], out var code, out string read));
        Assert.Equal((CloseCode.GoingAway, reason ?? ""), (code, read));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("é")]
    [InlineData("€")]
    [InlineData("😀")]
    public void A_reason_too_long_is_cut_between_characters(string character)
    {
        Span<byte> payload = stackalloc byte[125];
        for (int ahead = 0; ahead < 5; ahead++)
        {
            string reason = new string('x', ahead) + string.Concat(Enumerable.Repeat(character, 200));
            int length = CloseFrame.Write(payload, CloseCode.NormalClosure, reason);
            int size = Encoding.UTF8.GetByteCount(character);
            Assert.Equal(2 + ahead + ((123 - ahead) / size * size), length);
            Assert.Equal(FrameError.None, CloseFrame.Read(payload[..length], out _, out string read));
            Assert.StartsWith(read, reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Half_a_surrogate_pair_becomes_a_replacement_character()
    {
        Span<byte> payload = stackalloc byte[125];
        int length = CloseFrame.Write(payload, CloseCode.NormalClosure, "a\uD800b");
        Assert.Equal(FrameError.None, CloseFrame.Read(payload[..length], out _, out string read));
        Assert.Equal("a\uFFFDb", read);
    }

    [Theory]
    [InlineData(CloseCode.None)]
    [InlineData(CloseCode.NoStatusReceived)]
    [InlineData(CloseCode.AbnormalClosure)]
    [InlineData((CloseCode)1015)]
    [InlineData((CloseCode)5000)]
    public void A_code_that_must_not_be_sent_makes_an_empty_payload(CloseCode code)
    {
        Assert.Equal(0, CloseFrame.Write(stackalloc byte[125], code, "reason"));
    }

    [Fact]
    public void Every_error_has_its_close_code()
    {
        foreach (var error in Enum.GetValues<FrameError>())
        {
            var expected = error switch
            {
                FrameError.None => CloseCode.None,
                FrameError.TextInvalid or FrameError.CloseReasonInvalid or FrameError.DeflateInvalid => CloseCode.InvalidPayloadData,
                FrameError.FrameTooBig or FrameError.MessageTooBig => CloseCode.MessageTooBig,
                _ => CloseCode.ProtocolError,
            };
            Assert.Equal(expected, FrameErrors.CloseCodeOf(error));
            if (error != FrameError.None) Assert.True(CloseFrame.IsSendable((int)FrameErrors.CloseCodeOf(error)));
        }
    }
}
