using System.Text.Json;
using FastChat.Chat;
using FastChat.Chat.Dialects;
using FastChat.Storage;
using FastChat.TestKit;

namespace FastChat.Core.Tests.Chat.Dialects;

/// <summary>A message that is sent again is the same turn.</summary>
public sealed class RepetitionTests
{
    [Fact]
    public async Task The_same_client_message_id_is_the_same_turn_while_it_runs_and_afterwards()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        const string message = """{"message":"hi","client_message_id":"c-1"}""";
        var (messageId, answerId, model) = await chat.AskAsync(socket, peer, message);

        await socket.SendAsync(message);
        var repeated = await peer.NextAsync("message_received");
        Assert.Equal("type message_id timestamp client_message_id response_id repeated", repeated.Fields());
        Assert.Equal((messageId, answerId, "c-1"), (repeated.Text("message_id"), repeated.Text("response_id"), repeated.Text("client_message_id")));
        model.Say("once").Finish();
        Assert.Equal("once", (await peer.TakeAnswerAsync()).Text);
        Assert.Equal(0, peer.Pending);

        foreach (var later in (TimeSpan[])[TimeSpan.Zero, TimeSpan.FromMinutes(5)])
        {
            chat.Time.Advance(later);
            await socket.SendAsync(message);
            Assert.Equal(messageId, (await peer.NextAsync("message_received")).Text("message_id"));
            Assert.Equal(answerId, (await peer.NextAsync("response_start")).Text("message_id"));
            var (_, complete) = await peer.TakeAnswerAsync();
            Assert.Equal(("once", answerId), (complete.Text("full_response"), complete.Text("message_id")));
        }
        Assert.Equal(1, chat.Model.Requests);
        Assert.Equal(2, chat.Store.AllMessages.Count);
    }

    [Fact]
    public async Task Repeating_on_a_new_socket_in_mid_answer_brings_the_whole_stream()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        const string message = """{"message":"hi","client_message_id":"c-1"}""";
        var (_, answerId, model) = await chat.AskAsync(socket, peer, message);
        model.Say("one ");
        await peer.NextAsync("response_chunk");
        await socket.DisposeAsync();
        var (again, second) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        await second.NextAsync("session_info");
        await again.SendAsync(message);
        Assert.Equal(answerId, (await second.NextAsync("message_received")).Text("response_id"));
        await second.NextAsync("response_start");
        model.Say("two").Finish();
        Assert.Equal("one two", (await second.TakeAnswerAsync()).Text);
        Assert.Equal(0, second.Pending);
        Assert.Equal(1, chat.Model.Requests);
    }

    [Fact]
    public async Task Two_sockets_that_send_the_same_message_at_once_make_one_turn()
    {
        await using var chat = new ChatHarness();
        var (a, peerA, session) = await chat.OpenSessionAsync();
        var (b, peerB) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        await peerB.NextAsync("session_info");
        const string message = """{"message":"hi","client_message_id":"same"}""";
        Task both;
        using (chat.Store.HoldWrites())
        {
            both = Task.WhenAll(a.SendAsync(message), b.SendAsync(message));
            await ChatHarness.UntilAsync(() => chat.Store.HeldWrites == 1);
        }
        await both;
        (await chat.Model.NextAsync()).Say("once").Finish();
        foreach (var peer in (RecordingPeer[])[peerA, peerB])
        {
            string seen = "";
            JsonElement frame;
            do
            {
                frame = await peer.NextAsync();
                seen += frame.Text("type") == "response_chunk" ? frame.Text("chunk") : "";
            }
            while (frame.Text("type") != "response_complete");
            Assert.Equal("once", seen);
        }
        Assert.Equal((1, 2), (chat.Model.Requests, chat.Store.AllMessages.Count));
    }

    [Fact]
    public async Task A_message_that_a_killed_server_never_answered_is_answered_when_it_comes_again()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        var lost = await chat.Store.AppendMessageAsync(chat.Alice.Id, session.ConversationId,
            new NewMessage(MessageRole.User, "hi") { Id = "q1", TurnId = "q1", ClientMessageId = "c-1" });
        await socket.SendAsync("""{"type":"resume","message_id":"q1"}""");
        Assert.Equal("not_found", (await peer.NextAsync("error")).Text("code"));
        var (messageId, _, model) = await chat.AskAsync(socket, peer, """{"message":"hi","client_message_id":"c-1"}""");
        Assert.Equal(lost!.Value.Message.Id, messageId);
        model.Say("at last").Finish();
        Assert.Equal("at last", (await peer.TakeAnswerAsync()).Text);
        Assert.Equal("q1", chat.Store.AllMessages[1].TurnId);
    }
}
