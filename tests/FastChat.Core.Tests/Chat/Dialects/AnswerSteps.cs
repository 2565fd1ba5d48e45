using System.Text;
using System.Text.Json;
using FastChat.Chat.Dialects;
using FastChat.TestKit;

namespace FastChat.Core.Tests.Chat.Dialects;

/// <summary>What tests of streamed answers do again and again, on the sockets of a session.</summary>
internal static class AnswerSteps
{
    /// <summary>Sends a message and takes everything up to the start of its answer.</summary>
    public static async Task<(string MessageId, string AnswerId, ScriptedAnswer Model)> AskAsync(
        this ChatHarness chat, ChatSocket socket, RecordingPeer peer, string message = """{"message":"hi"}""")
    {
        await socket.SendAsync(message);
        var received = await peer.NextAsync("message_received");
        var start = await peer.NextAsync("response_start");
        return (received.Text("message_id")!, start.Text("message_id")!, await chat.Model.NextAsync());
    }

    /// <summary>Takes chunks up to the end; the chunks must be in order and make up the whole.</summary>
    public static async Task<(string Text, JsonElement Complete)> TakeAnswerAsync(this RecordingPeer peer, int lastSeq = 0)
    {
        var text = new StringBuilder();
        while (true)
        {
            var frame = await peer.NextAsync();
            if (frame.Text("type") != "response_chunk")
            {
                Assert.Equal("response_complete", frame.Text("type"));
                return (text.ToString(), frame);
            }
            int seq = frame.GetProperty("seq").GetInt32();
            Assert.True(seq > lastSeq, "Chunks go on.");
            lastSeq = seq;
            text.Append(frame.Text("chunk"));
        }
    }
}
