using FastChat.Chat;
using FastChat.Chat.Dialects;
using FastChat.Storage;
using FastChat.TestKit;

namespace FastChat.Core.Tests.Chat.Dialects;

/// <summary>Seeds 000, 001 and 003: a message in, the whole answer out.</summary>
public sealed class PlainSocketTests
{
    [Theory]
    [InlineData("What is a fever?")]
    [InlineData("5")]
    [InlineData("\"quoted\"")]
    [InlineData("[1]")]
    public async Task Seed_000_answers_text_with_text(string text)
    {
        await using var chat = new ChatHarness();
        var (socket, peer) = await chat.OpenAsync(ChatDialect.Text);
        await socket.SendAsync(text);
        var model = await chat.Model.NextAsync();
        Assert.Equal(text, model.Prompt[^1].Text);
        model.Say("More than ", "38 °C.").Finish();
        Assert.Equal("More than 38 °C.", await peer.NextTextAsync());
    }

    [Fact]
    public async Task Seed_000_answers_json_with_json_and_keeps_to_one_conversation()
    {
        await using var chat = new ChatHarness();
        var (socket, peer) = await chat.OpenAsync(ChatDialect.Text);
        await socket.SendAsync(""" {"message": "What is a fever?"}""");
        (await chat.Model.NextAsync()).Say("A high temperature.").Finish();
        var reply = await peer.NextAsync();
        Assert.Equal("message session_id", reply.Fields());
        Assert.Equal("A high temperature.", reply.Text("message"));
        await socket.SendAsync("And a chill?");
        var second = await chat.Model.NextAsync();
        Assert.Equal(["What is a fever?", "A high temperature.", "And a chill?"], second.Prompt.Select(m => m.Text));
        second.Say("The opposite.").Finish();
        Assert.Equal("The opposite.", await peer.NextTextAsync());
        var conversation = Assert.Single((await chat.Engine.Directory.ListConversationsAsync(chat.Alice.Id, PageRequest.First)).Items);
        Assert.Equal((reply.Text("session_id"), "What is a fever?"), (conversation.Id, conversation.Title));
    }

    [Theory]
    [InlineData(ChatDialect.Text)]
    [InlineData(ChatDialect.Message)]
    [InlineData(ChatDialect.Conversation)]
    public async Task A_conversation_given_in_the_url_goes_on_with_its_history(ChatDialect dialect)
    {
        await using var chat = new ChatHarness();
        var turn = await chat.AskAsync("My name is Alice.", "Hello Alice.");
        var (socket, peer) = await chat.OpenAsync(dialect, turn.Conversation.Id);
        Assert.Equal(0, peer.Pending);
        await socket.SendAsync(dialect == ChatDialect.Conversation
            ? """{"type":"message","content":"What is my name?"}""" : """{"message":"What is my name?"}""");
        var model = await chat.Model.NextAsync();
        Assert.Equal(["My name is Alice.", "Hello Alice.", "What is my name?"], model.Prompt.Select(m => m.Text));
        model.Say("Alice.").Finish();
        await peer.NextAsync();
    }

    [Theory]
    [InlineData(ChatDialect.Text, "error code")]
    [InlineData(ChatDialect.Message, "error code")]
    [InlineData(ChatDialect.Conversation, "type content detail code")]
    public async Task A_conversation_that_is_not_ones_own_is_not_there(ChatDialect dialect, string fields)
    {
        await using var chat = new ChatHarness();
        var turn = await chat.AskAsync("My name is Alice.", "Hello Alice.");
        foreach (string id in (string[])[turn.Conversation.Id, "nonsense"])
        {
            var peer = new RecordingPeer();
            Assert.False(await chat.Socket(dialect, peer, chat.Bob, id).OpenAsync().Bounded());
            var error = await peer.NextAsync();
            Assert.Equal((fields, "not_found"), (error.Fields(), error.Text("code")));
            Assert.Equal((1008, "Conversation not found."), await peer.Closed);
        }
    }

    [Theory]
    [InlineData(ChatDialect.Text, "error")]
    [InlineData(ChatDialect.Message, "error")]
    [InlineData(ChatDialect.Conversation, "detail")]
    [InlineData(ChatDialect.Codes, "error")]
    public async Task Failed_authentication_is_an_error_message_and_then_1008_with_a_reason(ChatDialect dialect, string field)
    {
        await using var chat = new ChatHarness();
        var peer = new RecordingPeer();
        var socket = ChatSocket.Create(dialect, chat.Engine, peer, new ChatSocketRequest { AuthError = "The token has expired." }, chat.Limiter);
        Assert.False(await socket.OpenAsync().Bounded());
        Assert.Equal("The token has expired.", (await peer.NextAsync()).Text(field));
        Assert.Equal((1008, "The token has expired."), await peer.Closed);
    }

    [Theory]
    [InlineData(ChatDialect.Text, "error")]
    [InlineData(ChatDialect.Message, "error")]
    [InlineData(ChatDialect.Session, "message")]
    [InlineData(ChatDialect.Conversation, "detail")]
    [InlineData(ChatDialect.Codes, "error")]
    public async Task Who_is_not_identified_any_longer_is_told_before_the_close(ChatDialect dialect, string field)
    {
        await using var chat = new ChatHarness();
        var peer = new RecordingPeer();
        var socket = ChatSocket.Create(dialect, chat.Engine, peer, new ChatSocketRequest { User = chat.Alice }, chat.Limiter);
        await socket.ExpireAsync("The token has expired.").Bounded();
        var error = await peer.NextAsync();
        Assert.Equal(("The token has expired.", "unauthorized"), (error.Text(field), error.Text("code")));
        Assert.Equal((1008, "The token has expired."), await peer.Closed);
    }

    [Fact]
    public async Task A_close_has_the_whole_reason_where_it_fits()
    {
        const string reason = "A token is needed: Authorization: Bearer, or ?token=.";
        await using var chat = new ChatHarness();
        var peer = new RecordingPeer();
        var socket = ChatSocket.Create(ChatDialect.Text, chat.Engine, peer, new ChatSocketRequest { AuthError = reason }, chat.Limiter);
        Assert.False(await socket.OpenAsync().Bounded());
        Assert.Equal((1008, reason), await peer.Closed);
    }

    [Theory]
    [InlineData(122, "é", 122)]
    [InlineData(121, "é", 122)]
    [InlineData(120, "😀", 120)]
    [InlineData(119, "😀", 121)]
    public async Task A_longer_reason_is_cut_between_characters(int letters, string last, int expectedChars)
    {
        await using var chat = new ChatHarness();
        var peer = new RecordingPeer();
        string reason = new string('a', letters) + last + "and more";
        var socket = ChatSocket.Create(ChatDialect.Text, chat.Engine, peer, new ChatSocketRequest { AuthError = reason }, chat.Limiter);
        Assert.False(await socket.OpenAsync().Bounded());
        Assert.Equal((1008, reason[..expectedChars]), await peer.Closed);
    }

    [Fact]
    public async Task Opening_sockets_that_make_conversations_is_limited_like_messages()
    {
        await using var chat = new ChatHarness();
        await chat.OpenAsync(ChatDialect.Message);
        Assert.Equal([chat.Alice.Id], chat.Limiter.Asked);

        chat.Limiter.Decision = new RateDecision(false, TimeSpan.FromSeconds(7));
        var peer = new RecordingPeer();
        Assert.False(await chat.Socket(ChatDialect.Message, peer, chat.Alice).OpenAsync().Bounded());
        var error = await peer.NextAsync();
        Assert.Equal(("rate_limited", 7), (error.Text("code"), error.GetProperty("retry_after").GetInt32()));
        Assert.Equal((1008, "Too many requests. Please wait."), await peer.Closed);
        var made = Assert.Single((await chat.Engine.Directory.ListConversationsAsync(chat.Alice.Id, PageRequest.First)).Items);
        // One that goes on makes none.
        await chat.OpenAsync(ChatDialect.Message, made.Id);
    }

    [Fact]
    public async Task Seed_001_gives_a_new_session_first_and_then_both_fields_both_ways()
    {
        await using var chat = new ChatHarness();
        var (socket, peer) = await chat.OpenAsync(ChatDialect.Message);
        var first = await peer.NextAsync();
        Assert.Equal("session_id", first.Fields());
        string id = first.Text("session_id")!;
        await socket.SendAsync($$"""
            {
              "message": "Hello AI!",
              "session_id": "{{id}}"
            }
            """);
        (await chat.Model.NextAsync()).Say("Hello! How can I assist you today?").Finish();
        var reply = await peer.NextAsync();
        Assert.Equal("message session_id", reply.Fields());
        Assert.Equal(("Hello! How can I assist you today?", id), (reply.Text("message"), reply.Text("session_id")));
        Assert.Equal("Hello AI!", (await chat.Engine.Directory.GetConversationAsync(chat.Alice.Id, id)).Title);
    }

    [Fact]
    public async Task Seed_001_lets_each_message_name_its_session()
    {
        await using var chat = new ChatHarness();
        var turn = await chat.AskAsync("My name is Alice.", "Hello Alice.");
        var (socket, peer) = await chat.OpenAsync(ChatDialect.Message);
        await peer.NextAsync();
        await socket.SendAsync($$"""{"message":"Who am I?","session_id":"{{turn.Conversation.Id}}"}""");
        var model = await chat.Model.NextAsync();
        Assert.Equal(3, model.Prompt.Count);
        model.Say("Alice.").Finish();
        Assert.Equal(turn.Conversation.Id, (await peer.NextAsync()).Text("session_id"));
        await socket.SendAsync("""{"message":"Who am I?","session_id":"somebody's"}""");
        var error = await peer.NextAsync();
        Assert.Equal("error code session_id", error.Fields());
        Assert.Equal(("not_found", "somebody's"), (error.Text("code"), error.Text("session_id")));
        await socket.SendAsync("""{"message":"Back to the socket's own","session_id":""}""");
        Assert.Single((await chat.Model.NextAsync()).Prompt);
    }

    [Fact]
    public async Task Seed_003_answers_a_message_with_a_response()
    {
        await using var chat = new ChatHarness();
        var (socket, peer) = await chat.OpenAsync(ChatDialect.Conversation);
        await socket.SendAsync("""
            {
                "type": "message",
                "content": "string"
            }
            """);
        (await chat.Model.NextAsync()).Say("an answer").Finish();
        var reply = await peer.NextAsync("response");
        Assert.Equal("type content conversation_id message_id", reply.Fields());
        Assert.Equal("an answer", reply.Text("content"));
        await socket.SendAsync("""{"type":"message","content":"again"}""");
        (await chat.Model.NextAsync()).Say("and again").Finish();
        Assert.Equal(reply.Text("conversation_id"), (await peer.NextAsync("response")).Text("conversation_id"));
    }

    [Theory]
    [InlineData("""{"content":"no type"}""", "bad_request")]
    [InlineData("""{"type":"message"}""", "bad_request")]
    [InlineData("""{"type":"message","content":7}""", "bad_request")]
    [InlineData("""{"type":"stop"}""", "unknown_type")]
    [InlineData("hello", "bad_json")]
    public async Task Seed_003_says_what_is_wrong(string frame, string code)
    {
        await using var chat = new ChatHarness();
        var (socket, peer) = await chat.OpenAsync(ChatDialect.Conversation);
        await socket.SendAsync(frame);
        var error = await peer.NextAsync("error");
        Assert.Equal(code, error.Text("code"));
        Assert.Equal(error.Text("content"), error.Text("detail"));
    }

    [Theory]
    [InlineData(ChatDialect.Text, """{"message":""", "bad_json")]
    [InlineData(ChatDialect.Text, """{"text":"hi"}""", "bad_request")]
    [InlineData(ChatDialect.Text, """{"message":1}""", "bad_request")]
    [InlineData(ChatDialect.Text, "   ", "bad_request")]
    [InlineData(ChatDialect.Text, """{"type":"message","message":"hi"}""", "unknown_type")]
    [InlineData(ChatDialect.Message, "hello", "bad_json")]
    [InlineData(ChatDialect.Message, """{"session_id":"x"}""", "bad_request")]
    [InlineData(ChatDialect.Message, """{"message":"hi","session_id":1}""", "bad_request")]
    public async Task Seeds_000_and_001_say_what_is_wrong(ChatDialect dialect, string frame, string code)
    {
        await using var chat = new ChatHarness();
        var (socket, peer) = await chat.OpenAsync(dialect);
        if (dialect == ChatDialect.Message)
            await peer.NextAsync();
        await socket.SendAsync(frame);
        var error = await peer.NextAsync();
        Assert.Equal(code, error.Text("code"));
        Assert.False(peer.IsClosed);
    }

    [Theory]
    [InlineData(ChatDialect.Text)]
    [InlineData(ChatDialect.Message)]
    [InlineData(ChatDialect.Conversation)]
    public async Task A_model_that_fails_is_an_error_in_every_dialect(ChatDialect dialect)
    {
        await using var chat = new ChatHarness();
        var (socket, peer) = await chat.OpenAsync(dialect);
        if (dialect == ChatDialect.Message)
            await peer.NextAsync();
        await socket.SendAsync(dialect == ChatDialect.Conversation ? """{"type":"message","content":"hi"}""" : """{"message":"hi"}""");
        (await chat.Model.NextAsync()).Say("half").Fail(new ModelException(ModelFailure.Unavailable, "The model is away."));
        var error = await peer.NextAsync();
        Assert.Equal(("model_failed", "The model is away."), (error.Text("code"), error.Text(dialect == ChatDialect.Conversation ? "detail" : "error")));
        Assert.Equal("half", chat.Store.AllMessages[1].Content);
    }

    [Theory]
    [InlineData(ChatDialect.Text)]
    [InlineData(ChatDialect.Message)]
    [InlineData(ChatDialect.Conversation)]
    public async Task A_rate_limit_says_when_to_come_back(ChatDialect dialect)
    {
        await using var chat = new ChatHarness();
        var (socket, peer) = await chat.OpenAsync(dialect);
        if (dialect == ChatDialect.Message)
            await peer.NextAsync();
        chat.Limiter.Decision = new RateDecision(false, TimeSpan.FromMilliseconds(1));
        await socket.SendAsync("""{"type":"message","message":"hi","content":"hi"}""");
        var error = await peer.NextAsync();
        Assert.Equal(("rate_limited", 1), (error.Text("code"), error.GetProperty("retry_after").GetInt32()));
    }

    [Fact]
    public async Task Two_messages_in_a_row_are_answered_in_their_order()
    {
        await using var chat = new ChatHarness();
        var (socket, peer) = await chat.OpenAsync(ChatDialect.Text);
        await socket.SendAsync("first");
        await socket.SendAsync("second");
        var first = await chat.Model.NextAsync();
        first.Say("1").Finish();
        Assert.Equal("1", await peer.NextTextAsync());
        (await chat.Model.NextAsync()).Say("2").Finish();
        Assert.Equal("2", await peer.NextTextAsync());
    }

    [Fact]
    public async Task An_answer_outlives_its_socket()
    {
        await using var chat = new ChatHarness();
        var (socket, peer) = await chat.OpenAsync(ChatDialect.Text);
        await socket.SendAsync("hi");
        var model = await chat.Model.NextAsync();
        await socket.DisposeAsync();
        model.Say("still saying it").Finish();
        await ChatHarness.UntilAsync(() => chat.Store.AllMessages.Count == 2);
        Assert.Equal("still saying it", chat.Store.AllMessages[1].Content);
        Assert.Equal(0, peer.Pending);
        await socket.SendAsync("into the void");
        Assert.Equal(2, chat.Store.AllMessages.Count);
    }
}
