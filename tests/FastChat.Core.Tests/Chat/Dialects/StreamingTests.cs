using System.Text;
using System.Text.Json;
using FastChat.Chat;
using FastChat.Chat.Dialects;
using FastChat.Storage;
using FastChat.TestKit;

namespace FastChat.Core.Tests.Chat.Dialects;

/// <summary>Beyond seed 002: resume, stop, repetition, several sockets, slow ones.</summary>
public sealed class StreamingTests
{
    /// <summary>Sends a message and takes everything up to the start of its answer.</summary>
    private static async Task<(string MessageId, string AnswerId, ScriptedAnswer Model)> AskAsync(
        ChatHarness chat, ChatSocket socket, RecordingPeer peer, string message = """{"message":"hi"}""")
    {
        await socket.SendAsync(message);
        var received = await peer.NextAsync("message_received");
        var start = await peer.NextAsync("response_start");
        return (received.Text("message_id")!, start.Text("message_id")!, await chat.Model.NextAsync());
    }

    /// <summary>Takes chunks up to the end; the chunks must be in order and make up the whole.</summary>
    private static async Task<(string Text, JsonElement Complete)> TakeAnswerAsync(RecordingPeer peer, int lastSeq = 0)
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

    [Fact]
    public async Task Resume_after_a_lost_socket_brings_the_rest_once()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        var (_, answerId, model) = await AskAsync(chat, socket, peer);
        model.Say("one ");
        await peer.NextAsync("response_chunk");
        model.Say("two ");
        Assert.Equal(2, (await peer.NextAsync("response_chunk")).GetProperty("seq").GetInt32());
        await socket.DisposeAsync();
        model.Say("three ", "four ");
        await ChatHarness.UntilAsync(() => chat.Engine.Sessions.Find(chat.Alice.Id, session.Id) is not null);

        var (again, second) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        var info = await second.NextAsync("session_info");
        Assert.Equal(answerId, info.Text("active_message_id"));
        await again.SendAsync($$"""{"type":"resume","message_id":"{{answerId}}","last_seq":2}""");
        model.Say("five").Finish();
        var (text, complete) = await TakeAnswerAsync(second, 2);
        Assert.Equal("three four five", text);
        Assert.Equal("one two three four five", complete.Text("full_response"));
        Assert.Equal(0, second.Pending);
    }

    [Fact]
    public async Task Resume_with_nothing_seen_brings_everything_and_the_questions_id_will_do()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        var (messageId, answerId, model) = await AskAsync(chat, socket, peer);
        model.Say("one ", "two ");
        await peer.NextAsync("response_chunk");
        var (again, second) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        await second.NextAsync("session_info");
        await again.SendAsync($$"""{"type":"resume","message_id":"{{messageId}}"}""");
        var chunk = await second.NextAsync("response_chunk");
        Assert.Equal(answerId, chunk.Text("message_id"));
        model.Say("three").Finish();
        var (text, _) = await TakeAnswerAsync(second, chunk.GetProperty("seq").GetInt32());
        Assert.Equal("one two three", chunk.Text("chunk") + text);
    }

    [Fact]
    public async Task A_finished_answer_can_be_resumed_while_it_is_kept_and_is_whole_afterwards()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        var (_, answerId, model) = await AskAsync(chat, socket, peer);
        model.Say("one ");
        await peer.NextAsync("response_chunk");
        model.Say("two").Finish();
        await TakeAnswerAsync(peer, 1);
        string resume = $$"""{"type":"resume","message_id":"{{answerId}}","last_seq":1}""";
        await socket.SendAsync(resume);
        var (text, complete) = await TakeAnswerAsync(peer, 1);
        Assert.Equal(("two", "one two"), (text, complete.Text("full_response")));

        chat.Time.Advance(TimeSpan.FromMinutes(3));
        await socket.SendAsync(resume);
        (text, complete) = await TakeAnswerAsync(peer, 1);
        Assert.Equal(("", "one two", answerId), (text, complete.Text("full_response"), complete.Text("message_id")));
    }

    [Fact]
    public async Task Resume_beyond_the_last_chunk_is_refused()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        var (_, answerId, model) = await AskAsync(chat, socket, peer);
        await socket.SendAsync($$"""{"type":"resume","message_id":"{{answerId}}","last_seq":1}""");
        var error = await peer.NextAsync("error");
        Assert.Equal(("bad_request", answerId), (error.Text("code"), error.Text("message_id")));
        model.Finish();
        await peer.NextAsync("response_complete");
    }

    [Fact]
    public async Task Resume_of_another_conversations_message_finds_nothing()
    {
        await using var chat = new ChatHarness();
        var other = await chat.AskAsync("elsewhere", "there");
        var opened = await chat.Engine.Sessions.OpenAsync(new SessionRequest(chat.Alice.Id, ChatbotRecord.AssistantId) { StartNew = true });
        var (socket, peer) = await chat.OpenAsync(ChatDialect.Session, opened.Session.Id);
        await peer.NextAsync("session_info");
        await socket.SendAsync($$"""{"type":"resume","message_id":"{{other.Answer.Id}}"}""");
        Assert.Equal("not_found", (await peer.NextAsync("error")).Text("code"));
    }

    [Fact]
    public async Task Whoever_comes_in_the_middle_and_does_not_resume_gets_the_end()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        var (_, _, model) = await AskAsync(chat, socket, peer);
        model.Say("one ");
        await peer.NextAsync("response_chunk");
        var (_, second) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        await second.NextAsync("session_info");
        model.Say("two").Finish();
        Assert.Equal("one two", (await second.NextAsync("response_complete")).Text("full_response"));
        var (text, _) = await TakeAnswerAsync(peer, 1);
        Assert.Equal("two", text);
    }

    [Fact]
    public async Task All_sockets_of_a_session_see_the_same_stream_and_the_others_see_the_question()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        var (_, other) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        await other.NextAsync("session_info");
        var (messageId, answerId, model) = await AskAsync(chat, socket, peer, """{"message":"Who is there?"}""");
        var question = await other.NextAsync("user_message");
        Assert.Equal("type message_id message timestamp", question.Fields());
        Assert.Equal((messageId, "Who is there?"), (question.Text("message_id"), question.Text("message")));
        Assert.Equal(answerId, (await other.NextAsync("response_start")).Text("message_id"));
        foreach (string word in (string[])["a ", "b ", "c"])
        {
            model.Say(word);
            Assert.Equal(word, (await peer.NextAsync("response_chunk")).Text("chunk"));
            Assert.Equal(word, (await other.NextAsync("response_chunk")).Text("chunk"));
        }
        model.Finish();
        Assert.Equal((await peer.NextAsync("response_complete")).GetRawText(), (await other.NextAsync("response_complete")).GetRawText());
    }

    [Fact]
    public async Task A_slow_peer_gets_fewer_and_larger_chunks_and_holds_nobody_up()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        var (_, slow) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        await slow.NextAsync("session_info");
        slow.Stall();
        var (_, _, model) = await AskAsync(chat, socket, peer);
        await slow.NextAsync("user_message");
        await slow.NextAsync("response_start");
        for (int i = 0; i < 200; i++)
        {
            model.Say($"{i} ");
            await peer.NextAsync("response_chunk");
        }
        await ChatHarness.UntilAsync(() => slow.Waiting == 1);
        Assert.Equal(0, slow.Pending);
        slow.Resume();
        var chunk = await slow.NextAsync("response_chunk");
        Assert.Equal(200, chunk.GetProperty("seq").GetInt32());
        Assert.Equal(string.Concat(Enumerable.Range(0, 200).Select(i => $"{i} ")), chunk.Text("chunk"));
        model.Finish();
        await slow.NextAsync("response_complete");
    }

    [Fact]
    public async Task A_peer_that_takes_nothing_while_others_go_on_is_let_go()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        var (_, stuck) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        stuck.Stall();
        chat.Model.Reply = _ => ["answer"];
        for (int i = 0; !stuck.IsClosed; i++)
        {
            Assert.True(i < 100);
            await socket.SendAsync("""{"message":"next"}""");
            await peer.NextAsync("message_received");
            await peer.NextAsync("response_start");
            await TakeAnswerAsync(peer);
        }
        Assert.Equal((1008, "Too slow."), await stuck.Closed);
    }

    [Fact]
    public async Task Text_that_is_no_text_goes_out_as_valid_json_all_the_same()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        var (_, _, model) = await AskAsync(chat, socket, peer);
        model.Say("a\uDC4Bb\u0000\"\\\n\uD83D");
        Assert.Equal("a\uFFFDb\u0000\"\\\n", (await peer.NextAsync("response_chunk")).Text("chunk"));
        model.Say("\uDC4B").Finish();
        Assert.Equal("👋", (await peer.NextAsync("response_chunk")).Text("chunk"));
        Assert.Equal("a\uFFFDb\u0000\"\\\n👋", (await peer.NextAsync("response_complete")).Text("full_response"));
    }

    [Fact]
    public async Task Stop_reaches_the_model_and_keeps_what_came()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        var (_, answerId, model) = await AskAsync(chat, socket, peer);
        model.Say("the part received");
        await peer.NextAsync("response_chunk");
        await socket.SendAsync("""{"type":"stop"}""");
        var complete = await peer.NextAsync("response_complete");
        Assert.Equal((answerId, "cancelled", "the part received"),
            (complete.Text("message_id"), complete.Text("finish_reason"), complete.Text("full_response")));
        await model.WhenCancelledAsync();
        var stored = chat.Store.AllMessages[1];
        Assert.Equal((MessageStatus.Stopped, "cancelled", "the part received"), (stored.Status, stored.FinishReason, stored.Content));
    }

    [Fact]
    public async Task Stop_does_not_wait_for_a_model_that_is_deaf_to_it()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        await socket.SendAsync("""{"message":"hi"}""");
        await peer.NextAsync("message_received");
        await peer.NextAsync("response_start");
        var model = await chat.Model.NextAsync();
        model.IgnoresCancellation = true;
        model.Say("part");
        await peer.NextAsync("response_chunk");
        await socket.SendAsync("""{"type":"stop"}""");
        Assert.Equal("part", (await peer.NextAsync("response_complete")).Text("full_response"));
        model.Say("too late").Finish();
        Assert.Equal("part", chat.Store.AllMessages[1].Content);
    }

    [Fact]
    public async Task Stop_from_another_socket_of_the_session_stops_as_well()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        var (second, other) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        await other.NextAsync("session_info");
        await AskAsync(chat, socket, peer);
        await second.SendAsync("""{"type":"stop"}""");
        Assert.Equal("cancelled", (await peer.NextAsync("response_complete")).Text("finish_reason"));
        await other.NextAsync("user_message");
        await other.NextAsync("response_start");
        Assert.Equal("cancelled", (await other.NextAsync("response_complete")).Text("finish_reason"));
    }

    [Fact]
    public async Task Stop_with_nothing_to_stop_is_no_error()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        await socket.SendAsync("""{"type":"stop"}""");
        await socket.SendAsync("""{"type":"stop","message_id":"nobody's"}""");
        var (_, _, model) = await AskAsync(chat, socket, peer);
        await socket.SendAsync("""{"type":"stop","message_id":"nobody's"}""");
        model.Say("goes on").Finish();
        Assert.Equal("stop", (await TakeAnswerAsync(peer)).Complete.Text("finish_reason"));
    }

    [Fact]
    public async Task Messages_that_come_meanwhile_are_acknowledged_at_once_and_answered_in_order()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        var (_, _, model) = await AskAsync(chat, socket, peer, """{"message":"first"}""");
        await socket.SendAsync("""{"message":"second"}""");
        var received = await peer.NextAsync("message_received");
        Assert.Equal("second", chat.Store.AllMessages[1].Content);
        Assert.Equal(0, peer.Pending);
        model.Say("one").Finish();
        await TakeAnswerAsync(peer);
        Assert.Equal(received.Text("message_id"), (await peer.NextAsync("response_start")).Text("reply_to"));
        var second = await chat.Model.NextAsync();
        Assert.Equal(["first", "one", "second"], second.Prompt.Select(m => m.Text));
        second.Say("two").Finish();
        Assert.Equal("two", (await TakeAnswerAsync(peer)).Text);
    }

    [Fact]
    public async Task Stop_ends_the_running_answer_and_those_that_wait_or_just_the_one_named()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        var (_, _, model) = await AskAsync(chat, socket, peer, """{"message":"first"}""");
        await socket.SendAsync("""{"message":"second"}""");
        string second = (await peer.NextAsync("message_received")).Text("message_id")!;
        await socket.SendAsync("""{"message":"third"}""");
        await peer.NextAsync("message_received");
        await socket.SendAsync($$"""{"type":"stop","message_id":"{{second}}"}""");
        model.Say("one").Finish();
        Assert.Equal("stop", (await TakeAnswerAsync(peer)).Complete.Text("finish_reason"));
        await peer.NextAsync("response_start");
        var (text, complete) = await TakeAnswerAsync(peer);
        Assert.Equal(("", "cancelled", second), (text, complete.Text("finish_reason"), complete.Text("reply_to")));
        await peer.NextAsync("response_start");
        await chat.Model.NextAsync();
        await socket.SendAsync("""{"message":"fourth"}""");
        await peer.NextAsync("message_received");
        await socket.SendAsync("""{"type":"stop"}""");
        Assert.Equal("cancelled", (await TakeAnswerAsync(peer)).Complete.Text("finish_reason"));
        await peer.NextAsync("response_start");
        Assert.Equal("cancelled", (await TakeAnswerAsync(peer)).Complete.Text("finish_reason"));
        Assert.Equal(2, chat.Model.Requests);
    }

    [Fact]
    public async Task Too_many_messages_waiting_is_an_error_and_nothing_is_stored()
    {
        await using var chat = new ChatHarness(o => o.MaxQueuedTurns = 1);
        var (socket, peer, _) = await chat.OpenSessionAsync();
        await AskAsync(chat, socket, peer);
        await socket.SendAsync("""{"message":"second"}""");
        await peer.NextAsync("message_received");
        await socket.SendAsync("""{"message":"third","client_message_id":"c3"}""");
        var error = await peer.NextAsync("error");
        Assert.Equal(("busy", "c3"), (error.Text("code"), error.Text("client_message_id")));
        Assert.Equal(2, chat.Store.AllMessages.Count);
    }

    [Fact]
    public async Task With_no_queue_the_next_message_may_follow_the_end_at_once()
    {
        await using var chat = new ChatHarness(o => (o.MaxQueuedTurns, o.MaxConcurrentGenerations) = (0, 1));
        var (socket, peer, _) = await chat.OpenSessionAsync();
        chat.Model.Reply = _ => ["a", "b"];
        for (int i = 0; i < 50; i++)
        {
            await socket.SendAsync("""{"message":"next"}""");
            await peer.NextAsync("message_received");
            await peer.NextAsync("response_start");
            Assert.Equal("ab", (await TakeAnswerAsync(peer)).Text);
        }
    }

    [Fact]
    public async Task The_same_client_message_id_is_the_same_turn_while_it_runs_and_afterwards()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        const string message = """{"message":"hi","client_message_id":"c-1"}""";
        var (messageId, answerId, model) = await AskAsync(chat, socket, peer, message);

        await socket.SendAsync(message);
        var repeated = await peer.NextAsync("message_received");
        Assert.Equal("type message_id timestamp client_message_id response_id repeated", repeated.Fields());
        Assert.Equal((messageId, answerId, "c-1"), (repeated.Text("message_id"), repeated.Text("response_id"), repeated.Text("client_message_id")));
        model.Say("once").Finish();
        Assert.Equal("once", (await TakeAnswerAsync(peer)).Text);
        Assert.Equal(0, peer.Pending);

        foreach (var later in (TimeSpan[])[TimeSpan.Zero, TimeSpan.FromMinutes(5)])
        {
            chat.Time.Advance(later);
            await socket.SendAsync(message);
            Assert.Equal(messageId, (await peer.NextAsync("message_received")).Text("message_id"));
            Assert.Equal(answerId, (await peer.NextAsync("response_start")).Text("message_id"));
            var (_, complete) = await TakeAnswerAsync(peer);
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
        var (_, answerId, model) = await AskAsync(chat, socket, peer, message);
        model.Say("one ");
        await peer.NextAsync("response_chunk");
        await socket.DisposeAsync();
        var (again, second) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        await second.NextAsync("session_info");
        await again.SendAsync(message);
        Assert.Equal(answerId, (await second.NextAsync("message_received")).Text("response_id"));
        await second.NextAsync("response_start");
        model.Say("two").Finish();
        Assert.Equal("one two", (await TakeAnswerAsync(second)).Text);
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
        var (messageId, _, model) = await AskAsync(chat, socket, peer, """{"message":"hi","client_message_id":"c-1"}""");
        Assert.Equal(lost!.Value.Message.Id, messageId);
        model.Say("at last").Finish();
        Assert.Equal("at last", (await TakeAnswerAsync(peer)).Text);
        Assert.Equal("q1", chat.Store.AllMessages[1].TurnId);
    }

    [Fact]
    public async Task Stop_against_completion_always_ends_in_exactly_one_way()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        int stopped = 0;
        for (int i = 0; i < 200; i++)
        {
            var (_, _, model) = await AskAsync(chat, socket, peer);
            model.Say("text");
            await peer.NextAsync("response_chunk");
            await Task.WhenAll(Task.Run(() => model.Finish()), Task.Run(() => socket.SendAsync("""{"type":"stop"}"""))).Bounded();
            var complete = await peer.NextAsync("response_complete");
            Assert.Equal("text", complete.Text("full_response"));
            var stored = chat.Store.AllMessages[^1];
            Assert.Equal(stored.FinishReason, complete.Text("finish_reason"));
            stopped += stored.FinishReason == "cancelled" ? 1 : 0;
        }
        Assert.InRange(stopped, 0, 200);
        Assert.Equal(400, chat.Store.AllMessages.Count);
    }

    [Fact]
    public async Task Resume_against_new_chunks_loses_nothing_and_repeats_nothing()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        var (_, answerId, model) = await AskAsync(chat, socket, peer);
        const int words = 500;
        var speaking = Task.Run(async () =>
        {
            for (int i = 0; i < words; i++)
            {
                model.Say($"{i} ");
                await Task.Yield();
            }
        });
        string seen = "";
        int seq = 0;
        for (int round = 0; round < 20; round++)
        {
            await socket.DisposeAsync();
            (socket, peer) = await chat.OpenAsync(ChatDialect.Session, session.Id);
            await peer.NextAsync("session_info");
            await socket.SendAsync($$"""{"type":"resume","message_id":"{{answerId}}","last_seq":{{seq}}}""");
            for (int i = 0; i < round % 3 * 40; i++)
                await Task.Yield();
            while (peer.Pending > 0)
            {
                var chunk = await peer.NextAsync("response_chunk");
                seen += chunk.Text("chunk");
                seq = chunk.GetProperty("seq").GetInt32();
            }
        }
        // What this last socket has not taken yet comes with it.
        await speaking.Bounded();
        model.Finish();
        var (rest, complete) = await TakeAnswerAsync(peer, seq);
        Assert.Equal(complete.Text("full_response"), seen + rest);
        Assert.Equal(string.Concat(Enumerable.Range(0, words).Select(i => $"{i} ")), seen + rest);
    }

    [Fact]
    public async Task A_peer_that_is_gone_costs_nobody_anything()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        var (_, gone) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        gone.IsGone = true;
        var (_, _, model) = await AskAsync(chat, socket, peer);
        model.Say("text").Finish();
        Assert.Equal("text", (await TakeAnswerAsync(peer)).Text);
    }

    [Fact]
    public async Task A_thousand_answers_stream_at_once_to_their_own_sockets()
    {
        const int count = 1000;
        await using var chat = new ChatHarness();
        chat.Model.Reply = prompt => Enumerable.Range(0, 20).Select(i => $"{prompt[^1].Text}-{i} ");
        var sessions = new List<(string Name, ChatSocket Socket, RecordingPeer Peer)>();
        for (int i = 0; i < count; i++)
        {
            var user = await chat.Store.EnsureUserAsync($"user-{i}", $"user-{i}");
            var opened = await chat.Engine.Sessions.OpenAsync(new SessionRequest(user.Id, ChatbotRecord.AssistantId));
            var (socket, peer) = await chat.OpenAsync(ChatDialect.Session, opened.Session.Id, user);
            await peer.NextAsync("session_info");
            sessions.Add((user.Id, socket, peer));
        }
        await Task.WhenAll(sessions.Select(s => Task.Run(() => s.Socket.SendAsync($$"""{"message":"{{s.Name}}"}""")))).Bounded();
        foreach (var (name, _, peer) in sessions)
        {
            await peer.NextAsync("message_received");
            await peer.NextAsync("response_start");
            Assert.Equal(string.Concat(Enumerable.Range(0, 20).Select(i => $"{name}-{i} ")), (await TakeAnswerAsync(peer)).Text);
        }
        foreach (var (_, socket, _) in sessions)
            await socket.DisposeAsync();
        chat.Time.Advance(TimeSpan.FromMinutes(3));
        await ChatHarness.UntilAsync(() => chat.Engine.LiveCount == 0);
        Assert.Equal(0, chat.Engine.Sessions.Count);
    }
}
