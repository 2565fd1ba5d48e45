using System.Text;
using System.Text.Json;
using FastChat.LoadTests.Wire;

namespace FastChat.LoadTests.Tests.Wire;

public class ServerFrameTests
{
    [Fact]
    public void A_chunk_is_read()
    {
        var frame = ServerFrame.Read("""{"type":"response_chunk","chunk":"Hello","message_id":"01a","seq":3}"""u8);
        Assert.Equal(FrameKind.ResponseChunk, frame.Kind);
        Assert.Equal(3, frame.Seq);
        Assert.True(frame.MessageId.SequenceEqual("01a"u8));
        Assert.True(frame.Text.SequenceEqual("Hello"u8));
    }

    [Fact]
    public void Escapes_are_undone() => Assert.Equal("a\n\"é\" 😀", Encoding.UTF8.GetString(
        ServerFrame.Read("""{"type":"response_complete","full_response":"a\n\"\u00e9\" \ud83d\ude00","message_id":"01a","finish_reason":"stop"}"""u8).Text));

    [Fact]
    public void What_is_unknown_is_skipped()
    {
        var frame = ServerFrame.Read("""{"usage":{"type":"error","seq":9},"sources":[{"text":"x"}],"type":"message_received","response_id":"01b","client_message_id":"c","repeated":true,"more":null}"""u8);
        Assert.Equal(FrameKind.MessageReceived, frame.Kind);
        Assert.True(frame.Repeated);
        Assert.Equal(0, frame.Seq);
        Assert.True(frame.ResponseId.SequenceEqual("01b"u8));
        Assert.True(frame.ClientMessageId.SequenceEqual("c"u8));
    }

    [Fact]
    public void An_integer_type_is_a_code() => Assert.Equal(FrameKind.Code, ServerFrame.Read("""{"type":5,"models":["offline"]}"""u8).Kind);

    [Theory]
    [InlineData("[1]")]
    [InlineData("{\"type\":")]
    [InlineData("text")]
    public void What_is_no_object_is_refused(string text) => Assert.ThrowsAny<JsonException>(() => { ServerFrame.Read(Encoding.UTF8.GetBytes(text)); });
}
