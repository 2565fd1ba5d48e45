using System.Text.Json;
using FastChat.Chat;
using FastChat.Chat.Dialects;
using FastChat.Storage;
using FastChat.TestKit;

namespace FastChat.Core.Tests.Chat.Dialects;

/// <summary>Seed 004, code by code.</summary>
public sealed class CodeRequestsTests
{
    [Fact]
    public async Task Code_0_user_details()
    {
        await using var chat = new ChatHarness();
        var (socket, peer) = await chat.OpenAsync(ChatDialect.Codes);
        await socket.SendAsync("""{"type":0,"data":{"user_id":"alice-id"}}""");
        Assert.Equal("""{"type":0,"user_id":"alice-id","username":"alice"}""", await peer.NextTextAsync());
    }

    [Fact]
    public async Task Code_1_list_of_sessions()
    {
        await using var chat = new ChatHarness();
        var (socket, peer) = await chat.OpenAsync(ChatDialect.Codes);
        await socket.SendAsync("""{"type":1,"data":{"user_id":"alice-id"}}""");
        Assert.Equal("""{"type":1,"user_id":"alice-id","session_info":[]}""", await peer.NextTextAsync());
        var first = await chat.AskAsync("First chat", "a");
        chat.Time.Advance(TimeSpan.FromSeconds(1));
        var second = await chat.AskAsync("Second chat", "b");
        await socket.SendAsync("""{"type":1,"data":{"user_id":"alice-id"}}""");
        var reply = await peer.NextAsync();
        Assert.Equal("type user_id session_info", reply.Fields());
        Assert.Equal([$"{second.Conversation.Id} Second chat", $"{first.Conversation.Id} First chat"],
            reply.GetProperty("session_info").EnumerateArray().Select(s => $"{s.Text("session_id")} {s.Text("session_name")}"));
        Assert.All(reply.GetProperty("session_info").EnumerateArray(), s => Assert.Equal("session_id session_name", s.Fields()));

        await socket.SendAsync("""{"type":1,"data":{"limit":1}}""");
        reply = await peer.NextAsync();
        Assert.Equal("Second chat", Assert.Single(reply.GetProperty("session_info").EnumerateArray()).Text("session_name"));
        await socket.SendAsync($$$"""{"type":1,"data":{"limit":1,"before":"{{{reply.Text("next")}}}"}}""");
        reply = await peer.NextAsync();
        Assert.Equal("First chat", Assert.Single(reply.GetProperty("session_info").EnumerateArray()).Text("session_name"));
        Assert.False(reply.TryGetProperty("next", out _));
    }

    [Fact]
    public async Task Code_2_chats_of_a_session_are_json_within_a_string()
    {
        await using var chat = new ChatHarness();
        var turn = await chat.AskAsync("He said \"hi\" 👋", "Grüße");
        var (socket, peer) = await chat.OpenAsync(ChatDialect.Codes);
        await socket.SendAsync($$$"""{"type":2,"data":{"user_id":"alice-id","session_id":"{{{turn.Conversation.Id}}}"}}""");
        var reply = await peer.NextAsync();
        Assert.Equal("type user_id session_id chat", reply.Fields());
        Assert.Equal((2, "alice-id", turn.Conversation.Id),
            (reply.GetProperty("type").GetInt32(), reply.Text("user_id"), reply.Text("session_id")));
        var messages = JsonDocument.Parse(reply.Text("chat")!).RootElement.EnumerateArray().ToArray();
        Assert.Equal(["user He said \"hi\" 👋", "assistant Grüße"], messages.Select(m => $"{m.Text("role")} {m.Text("content")}"));
        Assert.All(messages, m => Assert.Equal("id role content created_at", m.Fields()));
        Assert.Equal("2024-01-15T10:30:00Z", messages[0].Text("created_at"));
    }

    [Fact]
    public async Task Code_2_sends_no_more_at_once_than_a_send_queue_holds()
    {
        await using var chat = new ChatHarness();
        var turn = await chat.AskAsync("start", new string('a', 100_000));
        for (int i = 0; i < 3; i++)
            await chat.AskAsync($"question {i}", new string((char)('b' + i), 60_000), turn.Conversation.Id);
        var (socket, peer) = await chat.OpenAsync(ChatDialect.Codes);
        string? before = null;
        var read = new List<string>();
        do
        {
            string cursor = before is null ? "" : $",\"before\":\"{before}\"";
            string data = $"\"session_id\":\"{turn.Conversation.Id}\"{cursor}";
            await socket.SendAsync($$$"""{"type":2,"data":{ {{{data}}} }}""");
            var reply = await peer.NextAsync();
            Assert.True(reply.Text("chat")!.Length < 200_000);
            read.InsertRange(0, JsonDocument.Parse(reply.Text("chat")!).RootElement.EnumerateArray().Select(m => m.Text("content")!));
            before = reply.TryGetProperty("next", out var next) ? next.GetString() : null;
        }
        while (before is not null);
        Assert.Equal(chat.Store.AllMessages.Select(m => m.Content), read);
    }

    [Fact]
    public async Task Code_3_chat_message_with_every_field()
    {
        await using var chat = new ChatHarness();
        await chat.Engine.Directory.AddDocumentAsync(new NewDocument(chat.Alice.Id, ChatbotRecord.AssistantId, "plan.txt",
            "Launch is on Friday.", ["Launch is on Friday."]));
        var (socket, peer) = await chat.OpenAsync(ChatDialect.Codes);
        await socket.SendAsync("""
            {
                "type": 3,
                "data": {
                    "user_id": "alice-id",
                    "session_id": "",
                    "model_id": 1,
                    "message": "Summarise it",
                    "session_prompt": "You are terse.",
                    "file_name": "plan.txt"
                }
            }
            """);
        var model = await chat.Second.NextAsync();
        Assert.Equal("You are terse.", model.Prompt[0].Text);
        Assert.True(ModelContext.TryGetPassages(model.Prompt[1], out var passages));
        Assert.Equal(new ModelPassage("plan.txt", "Launch is on Friday."), Assert.Single(passages));
        Assert.Equal("Summarise it", model.Prompt[2].Text);
        model.Say("Friday.").Finish();
        var reply = await peer.NextAsync();
        Assert.Equal("type user_id session_id session_name message", reply.Fields());
        Assert.Equal((3, "alice-id", "Summarise it", "Friday."),
            (reply.GetProperty("type").GetInt32(), reply.Text("user_id"), reply.Text("session_name"), reply.Text("message")));

        // The session goes on: its prompt stays although the field is empty, the model is the default again.
        await socket.SendAsync($$$"""{"type":3,"data":{"user_id":"alice-id","session_id":"{{{reply.Text("session_id")}}}","message":"And then?","session_prompt":"","file_name":""}}""");
        var next = await chat.Model.NextAsync();
        Assert.Equal(["You are terse.", "Summarise it", "Friday.", "And then?"], next.Prompt.Select(m => m.Text));
        next.Say("Rest.").Finish();
        Assert.Equal(reply.Text("session_id"), (await peer.NextAsync()).Text("session_id"));

        // A new prompt takes the old one's place.
        await socket.SendAsync($$$"""{"type":3,"data":{"session_id":"{{{reply.Text("session_id")}}}","message":"More?","session_prompt":"Be kind."}}""");
        Assert.Equal("Be kind.", (await chat.Model.NextAsync()).Prompt[0].Text);
    }

    [Fact]
    public async Task Code_4_deletes_a_session_and_stops_its_answer()
    {
        await using var chat = new ChatHarness();
        var (turn, _) = await chat.SubmitAsync("hi");
        var model = await chat.Model.NextAsync();
        var (socket, peer) = await chat.OpenAsync(ChatDialect.Codes);
        await socket.SendAsync($$$"""{"type":4,"data":{"user_id":"alice-id","session_id":"{{{turn.Conversation.Id}}}"}}""");
        Assert.Equal("""{"type":4,"user_id":"alice-id"}""", await peer.NextTextAsync());
        await model.WhenCancelledAsync();
        var result = await turn.Answer.Completion.Bounded();
        Assert.Equal((false, ChatErrorCode.NotFound), (result.Saved, result.Error!.Code));
        Assert.Empty(chat.Store.AllMessages);
        await socket.SendAsync($$$"""{"type":4,"data":{"session_id":"{{{turn.Conversation.Id}}}"}}""");
        Assert.Equal("not_found", (await peer.NextAsync()).Text("code"));
    }

    [Fact]
    public async Task Code_5_list_of_models()
    {
        await using var chat = new ChatHarness();
        var (socket, peer) = await chat.OpenAsync(ChatDialect.Codes);
        await socket.SendAsync("""{"type":5,"data":{"user_id":"alice-id"}}""");
        Assert.Equal("""{"type":5,"models":["first","second"]}""", await peer.NextTextAsync());
    }

    [Theory]
    [InlineData("""{"type":0}""", 0, "bad_request")]
    [InlineData("""{"type":0,"data":[]}""", 0, "bad_request")]
    [InlineData("""{"type":0,"data":null}""", 0, "bad_request")]
    [InlineData("""{"type":0,"data":{"user_id":7}}""", 0, "bad_request")]
    [InlineData("""{"type":0,"data":{"user_id":"bob-id"}}""", 0, "not_found")]
    [InlineData("""{"type":1,"data":{"user_id":"bob-id"}}""", 1, "not_found")]
    [InlineData("""{"type":2,"data":{"user_id":"alice-id"}}""", 2, "bad_request")]
    [InlineData("""{"type":2,"data":{"session_id":"nonsense"}}""", 2, "not_found")]
    [InlineData("""{"type":3,"data":{}}""", 3, "bad_request")]
    [InlineData("""{"type":3,"data":{"message":" "}}""", 3, "bad_request")]
    [InlineData("""{"type":3,"data":{"message":"hi","model_id":2}}""", 3, "not_found")]
    [InlineData("""{"type":3,"data":{"message":"hi","model_id":-1}}""", 3, "bad_request")]
    [InlineData("""{"type":3,"data":{"message":"hi","model_id":"0"}}""", 3, "bad_request")]
    [InlineData("""{"type":3,"data":{"message":"hi","file_name":"none.txt"}}""", 3, "not_found")]
    [InlineData("""{"type":3,"data":{"message":"hi","session_id":"nonsense"}}""", 3, "not_found")]
    [InlineData("""{"type":4,"data":{"session_id":""}}""", 4, "bad_request")]
    [InlineData("""{"type":6,"data":{}}""", 6, "unknown_type")]
    [InlineData("""{"type":-1,"data":{}}""", -1, "unknown_type")]
    [InlineData("""{"type":"message","content":"hi"}""", -1, "unknown_type")]
    [InlineData("""{"data":{}}""", -1, "bad_request")]
    [InlineData("""{"type":0,"type":1,"data":{}}""", -1, "bad_request")]
    [InlineData("""{"type":1.5}""", -1, "bad_request")]
    [InlineData("nonsense", -1, "bad_json")]
    public async Task What_is_wrong_says_so_under_the_code_it_was_asked_with(string frame, int type, string code)
    {
        await using var chat = new ChatHarness();
        var (socket, peer) = await chat.OpenAsync(ChatDialect.Codes);
        await socket.SendAsync(frame);
        var error = await peer.NextAsync();
        Assert.StartsWith("type error code", error.Fields(), StringComparison.Ordinal);
        Assert.Equal((type, code), (error.GetProperty("type").GetInt32(), error.Text("code")));
        Assert.Empty(chat.Store.AllMessages);
        await socket.SendAsync("""{"type":5,"data":{}}""");
        Assert.Equal(5, (await peer.NextAsync()).GetProperty("type").GetInt32());
    }

    [Theory]
    [InlineData(ChatDialect.Text)]
    [InlineData(ChatDialect.Message)]
    [InlineData(ChatDialect.Session)]
    [InlineData(ChatDialect.Conversation)]
    public async Task Codes_work_on_every_socket_and_are_answered_as_codes(ChatDialect dialect)
    {
        await using var chat = new ChatHarness();
        string? session = dialect == ChatDialect.Session
            ? (await chat.Engine.Sessions.OpenAsync(new SessionRequest(chat.Alice.Id, ChatbotRecord.AssistantId))).Session.Id : null;
        var (socket, peer) = await chat.OpenAsync(dialect, session);
        if (dialect is ChatDialect.Session or ChatDialect.Message)
            await peer.NextAsync();
        await socket.SendAsync("""{"data":{"user_id":"alice-id"},"type":0}""");
        Assert.Equal("""{"type":0,"user_id":"alice-id","username":"alice"}""", await peer.NextTextAsync());
        await socket.SendAsync("""{"type":9}""");
        Assert.Equal("type error code", (await peer.NextAsync()).Fields());
        await socket.SendAsync("""{"type":3,"data":{"message":"hi"}}""");
        (await chat.Model.NextAsync()).Fail(new ModelException(ModelFailure.Unavailable, "The model is away."));
        var error = await peer.NextAsync();
        Assert.Equal((3, "The model is away."), (error.GetProperty("type").GetInt32(), error.Text("error")));
        chat.Limiter.Decision = new RateDecision(false, TimeSpan.FromSeconds(9));
        await socket.SendAsync("""{"type":5,"data":{}}""");
        error = await peer.NextAsync();
        Assert.Equal((5, "rate_limited", 9), (error.GetProperty("type").GetInt32(), error.Text("code"), error.GetProperty("retry_after").GetInt32()));
    }

    [Fact]
    public async Task A_code_3_on_a_sessions_own_conversation_is_answered_as_code_here_and_streamed_elsewhere()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        var (_, other) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        await other.NextAsync("session_info");
        await socket.SendAsync($$$"""{"type":3,"data":{"session_id":"{{{session.ConversationId}}}","message":"hi"}}""");
        (await chat.Model.NextAsync()).Say("there").Finish();
        var reply = await peer.NextAsync();
        Assert.Equal((3, "there"), (reply.GetProperty("type").GetInt32(), reply.Text("message")));
        await other.NextAsync("user_message");
        await other.NextAsync("response_start");
        Assert.Equal(0, peer.Pending);
    }

    [Fact]
    public async Task A_code_4_on_a_sessions_own_conversation_is_answered_before_the_session_ends()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        await socket.SendAsync($$$"""{"type":4,"data":{"session_id":"{{{session.ConversationId}}}"}}""");
        Assert.Equal("""{"type":4,"user_id":"alice-id"}""", await peer.NextTextAsync());
        Assert.Equal("session_closed", (await peer.NextAsync("error")).Text("code"));
        Assert.Equal((1000, "The session was closed."), await peer.Closed);
    }

    [Fact]
    public async Task Where_the_network_is_trusted_each_message_says_whose_it_is()
    {
        await using var chat = new ChatHarness();
        var peer = new RecordingPeer();
        var socket = chat.Socket(ChatDialect.Codes, peer, null, trust: true);
        Assert.True(await socket.OpenAsync().Bounded());
        foreach (var user in (UserRecord[])[chat.Alice, chat.Bob])
        {
            await socket.SendAsync($$$"""{"type":0,"data":{"user_id":"{{{user.Id}}}"}}""");
            Assert.Equal(user.Name, (await peer.NextAsync()).Text("username"));
        }
        Assert.Equal([chat.Alice.Id, chat.Bob.Id], chat.Limiter.Asked);
        await socket.SendAsync("""{"type":0,"data":{"user_id":"nobody"}}""");
        Assert.Equal("not_found", (await peer.NextAsync()).Text("code"));
        await socket.SendAsync("""{"type":0,"data":{}}""");
        Assert.Equal("bad_request", (await peer.NextAsync()).Text("code"));
    }

    [Fact]
    public async Task Nobody_reaches_anothers_session_by_any_code()
    {
        await using var chat = new ChatHarness();
        var turn = await chat.AskAsync("secret question", "secret answer");
        var (socket, peer) = await chat.OpenAsync(ChatDialect.Codes, user: chat.Bob);
        foreach (int code in (int[])[2, 3, 4])
        {
            await socket.SendAsync($$$"""{"type":{{{code}}},"data":{"session_id":"{{{turn.Conversation.Id}}}","message":"let me in"}}""");
            string error = await peer.NextTextAsync();
            Assert.Contains("not_found", error, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", error, StringComparison.Ordinal);
        }
        await socket.SendAsync("""{"type":1,"data":{}}""");
        Assert.Equal("""{"type":1,"user_id":"bob-id","session_info":[]}""", await peer.NextTextAsync());
        Assert.Equal(2, chat.Store.AllMessages.Count);
    }
}
