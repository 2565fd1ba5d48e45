using System.Text.Json;
using FastChat.Chat;
using FastChat.Chat.Dialects;
using FastChat.Storage;
using FastChat.TestKit;
using Microsoft.Extensions.AI;

namespace FastChat.Core.Tests.Chat.Dialects;

/// <summary>Seed 002, frame by frame as the document writes them.</summary>
public sealed class SessionSocketTests
{
    [Fact]
    public async Task The_documents_own_exchange_field_by_field()
    {
        await using var chat = new ChatHarness();
        var bot = await chat.Engine.Directory.CreateChatbotAsync(new NewChatbot(chat.Alice.Id, "Assistant Name"));
        var opened = await chat.Engine.Sessions.OpenAsync(new SessionRequest(chat.Alice.Id, bot.Id));
        var (socket, peer) = await chat.OpenAsync(ChatDialect.Session, opened.Session.Id);

        var info = await peer.NextAsync("session_info");
        Assert.Equal("type session_id chatbot_name message conversation_id", info.Fields());
        Assert.Equal(opened.Session.Id, info.Text("session_id"));
        Assert.Equal("Assistant Name", info.Text("chatbot_name"));
        Assert.Equal("Connected to Assistant Name. You can start chatting!", info.Text("message"));

        await socket.SendAsync("""
            {
                "message": "Hello, can you help me with my project?",
                "message_type": "text"
            }
            """);
        var received = await peer.NextAsync("message_received");
        Assert.Equal("type message_id timestamp response_id", received.Fields());
        Assert.Equal("2024-01-15T10:30:00Z", received.Text("timestamp"));
        var stored = Assert.Single(chat.Store.AllMessages);
        Assert.Equal((stored.Id, "Hello, can you help me with my project?"), (received.Text("message_id"), stored.Content));

        var start = await peer.NextAsync("response_start");
        Assert.Equal("Assistant Name is thinking...", start.Text("message"));

        var model = await chat.Model.NextAsync();
        model.Say("Hello! I'd be happy");
        var chunk = await peer.NextAsync("response_chunk");
        Assert.Equal("type chunk message_id seq", chunk.Fields());
        Assert.Equal(("Hello! I'd be happy", 1), (chunk.Text("chunk"), chunk.GetProperty("seq").GetInt32()));
        model.Say(" to help");
        Assert.Equal(" to help", (await peer.NextAsync("response_chunk")).Text("chunk"));
        chat.Time.Advance(TimeSpan.FromSeconds(5));
        model.Use(12, 7).Finish();

        var complete = await peer.NextAsync("response_complete");
        Assert.Equal("type message_id timestamp full_response finish_reason reply_to usage", complete.Fields());
        Assert.Equal("2024-01-15T10:30:05Z", complete.Text("timestamp"));
        Assert.Equal("Hello! I'd be happy to help", complete.Text("full_response"));
        Assert.Equal("stop", complete.Text("finish_reason"));
        Assert.Equal(stored.Id, complete.Text("reply_to"));
        Assert.Equal("""{"prompt_tokens":12,"completion_tokens":7,"total_tokens":19}""", complete.GetProperty("usage").GetRawText());
        var answer = chat.Store.AllMessages[1];
        Assert.Equal((answer.Id, MessageRole.Assistant, "Hello! I'd be happy to help"), (complete.Text("message_id"), answer.Role, answer.Content));
        Assert.All([received.Text("response_id"), start.Text("message_id"), chunk.Text("message_id")], id => Assert.Equal(answer.Id, id));
    }

    [Fact]
    public async Task The_built_in_chatbot_says_what_the_document_shows()
    {
        await using var chat = new ChatHarness();
        var opened = await chat.Engine.Sessions.OpenAsync(new SessionRequest(chat.Alice.Id, ChatbotRecord.AssistantId));
        var (socket, peer) = await chat.OpenAsync(ChatDialect.Session, opened.Session.Id);
        Assert.Equal("Connected to Assistant. You can start chatting!", (await peer.NextAsync("session_info")).Text("message"));
        await socket.SendAsync("""{"message":"hi"}""");
        await peer.NextAsync("message_received");
        Assert.Equal("Assistant is thinking...", (await peer.NextAsync("response_start")).Text("message"));
        (await chat.Model.NextAsync()).Finish();
        await peer.NextAsync("response_complete");
    }

    [Fact]
    public async Task Message_received_waits_for_the_commit_and_response_complete_for_the_answers()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        Task sending;
        using (chat.Store.HoldWrites())
        {
            sending = socket.SendAsync("""{"message":"hi"}""");
            await ChatHarness.UntilAsync(() => chat.Store.HeldWrites == 1);
            Assert.Equal(0, peer.Pending);
        }
        await sending;
        await peer.NextAsync("message_received");
        await peer.NextAsync("response_start");
        var model = await chat.Model.NextAsync();
        using (chat.Store.HoldWrites())
        {
            model.Say("hello").Finish();
            await peer.NextAsync("response_chunk");
            await ChatHarness.UntilAsync(() => chat.Store.HeldWrites == 1);
            Assert.Equal(0, peer.Pending);
        }
        await peer.NextAsync("response_complete");
    }

    [Theory]
    [InlineData("""{"message":""", "bad_json")]
    [InlineData("hello", "bad_json")]
    [InlineData("[]", "bad_json")]
    [InlineData("""{"a":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}""", "bad_json")]
    [InlineData("{}", "bad_request")]
    [InlineData("""{"message":null}""", "bad_request")]
    [InlineData("""{"message":""}""", "bad_request")]
    [InlineData("""{"message":"  \n "}""", "bad_request")]
    [InlineData("""{"message":5}""", "bad_request")]
    [InlineData("""{"message":["hi"]}""", "bad_request")]
    [InlineData("""{"message":"hi","message_type":"image"}""", "bad_request")]
    [InlineData("""{"message":"hi","message_type":1}""", "bad_request")]
    [InlineData("""{"message":"hi","client_message_id":""}""", "bad_request")]
    [InlineData("""{"message":"hi","client_message_id":7}""", "bad_request")]
    [InlineData("""{"type":true,"message":"hi"}""", "bad_request")]
    [InlineData("""{"type":"message","type":"message","message":"hi"}""", "bad_request")]
    [InlineData("""{"message":"\ud800"}""", "bad_json")]
    [InlineData("""{"type":"shout","message":"hi"}""", "unknown_type")]
    [InlineData("""{"type":"resume"}""", "bad_request")]
    [InlineData("""{"type":"resume","message_id":"nobody","last_seq":-1}""", "bad_request")]
    [InlineData("""{"type":"resume","message_id":"nobody","last_seq":"1"}""", "bad_request")]
    [InlineData("""{"type":"resume","message_id":"nobody"}""", "not_found")]
    public async Task What_is_wrong_gets_an_error_and_the_socket_lives_on(string frame, string code)
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        await socket.SendAsync(frame);
        var error = await peer.NextAsync("error");
        Assert.StartsWith("type message code", error.Fields(), StringComparison.Ordinal);
        Assert.Equal(code, error.Text("code"));
        Assert.NotEmpty(error.Text("message")!);
        Assert.Empty(chat.Store.AllMessages);
        await socket.SendAsync("""{"message":"still here"}""");
        await peer.NextAsync("message_received");
        Assert.False(peer.IsClosed);
        chat.Engine.Stop(chat.Alice.Id, chat.Store.AllMessages[0].ConversationId);
    }

    [Fact]
    public async Task A_message_of_exactly_the_limit_is_taken_and_a_longer_one_is_not()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        await socket.SendAsync(JsonSerializer.Serialize(new { message = new string('ü', 16 << 10) }));
        await peer.NextAsync("message_received");
        await peer.NextAsync("response_start");
        await socket.SendAsync(JsonSerializer.Serialize(new { message = new string('ü', 16 << 10) + "x" }));
        Assert.Equal("too_large", (await peer.NextAsync("error")).Text("code"));
        await socket.SendAsync($$"""{"message":"{{new string('x', 300_000)}}"}""");
        Assert.Equal("too_large", (await peer.NextAsync("error")).Text("code"));
    }

    [Fact]
    public async Task Somebody_elses_session_is_as_unknown_as_none()
    {
        await using var chat = new ChatHarness();
        var opened = await chat.Engine.Sessions.OpenAsync(new SessionRequest(chat.Alice.Id, ChatbotRecord.AssistantId));
        foreach (string? id in (string?[])[opened.Session.Id, "nothing", "", null])
        {
            var peer = new RecordingPeer();
            var socket = chat.Socket(ChatDialect.Session, peer, chat.Bob, id);
            Assert.False(await socket.OpenAsync().Bounded());
            var error = await peer.NextAsync("error");
            Assert.Equal(("not_found", "Session not found."), (error.Text("code"), error.Text("message")));
            Assert.Equal((1008, "Session not found."), await peer.Closed);
        }
    }

    [Fact]
    public async Task Failed_authentication_is_an_error_and_a_close()
    {
        await using var chat = new ChatHarness();
        var peer = new RecordingPeer();
        Assert.False(await chat.Socket(ChatDialect.Session, peer, null, "any").OpenAsync().Bounded());
        Assert.Equal("unauthorized", (await peer.NextAsync("error")).Text("code"));
        Assert.Equal((1008, "Authentication failed."), await peer.Closed);
    }

    [Fact]
    public async Task A_rate_limit_says_when_to_come_back_and_never_keeps_anybody_from_stopping()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        await socket.SendAsync("""{"message":"hi"}""");
        await peer.NextAsync("message_received");
        await peer.NextAsync("response_start");
        chat.Limiter.Decision = new RateDecision(false, TimeSpan.FromSeconds(11.2));
        await socket.SendAsync("""{"message":"again","client_message_id":"c1"}""");
        var error = await peer.NextAsync("error");
        Assert.Equal("type message code retry_after client_message_id", error.Fields());
        Assert.Equal(("rate_limited", 12), (error.Text("code"), error.GetProperty("retry_after").GetInt32()));
        await socket.SendAsync("nonsense");
        Assert.Equal("rate_limited", (await peer.NextAsync("error")).Text("code"));
        await socket.SendAsync("""{"type":"stop"}""");
        Assert.Equal("cancelled", (await peer.NextAsync("response_complete")).Text("finish_reason"));
        Assert.Equal([chat.Alice.Id, chat.Alice.Id, chat.Alice.Id], chat.Limiter.Asked);
        Assert.Equal(2, chat.Store.AllMessages.Count);
        Assert.NotNull(session);
    }

    [Theory]
    [InlineData(ModelFailure.TimedOut, "model_timed_out")]
    [InlineData(ModelFailure.Unavailable, "model_failed")]
    public async Task A_model_that_fails_is_an_error_and_what_came_is_kept(ModelFailure failure, string code)
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        await socket.SendAsync("""{"message":"hi"}""");
        await peer.NextAsync("message_received");
        await peer.NextAsync("response_start");
        var model = await chat.Model.NextAsync();
        model.Say("The first half").Fail(new ModelException(failure, "The model is away.") { RetryAfter = TimeSpan.FromSeconds(3) });
        await peer.NextAsync("response_chunk");
        var error = await peer.NextAsync("error");
        Assert.Equal("type message code retry_after message_id reply_to", error.Fields());
        Assert.Equal((code, "The model is away.", 3), (error.Text("code"), error.Text("message"), error.GetProperty("retry_after").GetInt32()));
        var complete = await peer.NextAsync("response_complete");
        Assert.Equal(("The first half", "error"), (complete.Text("full_response"), complete.Text("finish_reason")));
        var stored = chat.Store.AllMessages[1];
        Assert.Equal((MessageStatus.Failed, "error", "The first half"), (stored.Status, stored.FinishReason, stored.Content));
    }

    [Fact]
    public async Task Details_of_an_unknown_failure_do_not_leave_the_server()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        await socket.SendAsync("""{"message":"hi"}""");
        await peer.NextAsync("message_received");
        await peer.NextAsync("response_start");
        (await chat.Model.NextAsync()).Fail(new HttpRequestException("https://secret.example/?key=abc refused"));
        Assert.Equal("The model failed to answer.", (await peer.NextAsync("error")).Text("message"));
        await peer.NextAsync("response_complete");
        chat.Store.WriteFailure = () => new StoreException(StoreError.Unavailable, "disk /var/secret is full");
        await socket.SendAsync("""{"message":"hi"}""");
        var error = await peer.NextAsync("error");
        Assert.Equal("unavailable", error.Text("code"));
        Assert.DoesNotContain("secret", error.GetRawText(), StringComparison.Ordinal);
        chat.Store.WriteFailure = () => new InvalidCastException("secret");
        await socket.SendAsync("""{"message":"hi"}""");
        error = await peer.NextAsync("error");
        Assert.Equal("internal", error.Text("code"));
        Assert.DoesNotContain("secret", error.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_cannot_be_saved_has_no_response_complete()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        await socket.SendAsync("""{"message":"hi"}""");
        await peer.NextAsync("message_received");
        await peer.NextAsync("response_start");
        chat.Store.WriteFailure = () => new StoreException(StoreError.Unavailable, "broken");
        (await chat.Model.NextAsync()).Say("text").Finish();
        await peer.NextAsync("response_chunk");
        Assert.Equal("unavailable", (await peer.NextAsync("error")).Text("code"));
        chat.Store.WriteFailure = null;
        await socket.SendAsync("""{"message":"next"}""");
        await peer.NextAsync("message_received");
        await peer.NextAsync("response_start");
        (await chat.Model.NextAsync()).Finish();
        Assert.Equal("stop", (await peer.NextAsync("response_complete")).Text("finish_reason"));
    }

    [Theory]
    [InlineData("length", "length", MessageStatus.Complete)]
    [InlineData("content_filter", "content_filter", MessageStatus.Complete)]
    [InlineData("tool_calls", "stop", MessageStatus.Complete)]
    [InlineData("truncated", "truncated", MessageStatus.Truncated)]
    [InlineData(null, "truncated", MessageStatus.Truncated)]
    public async Task The_models_reason_is_passed_on(string? reason, string expected, MessageStatus status)
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        await socket.SendAsync("""{"message":"hi"}""");
        await peer.NextAsync("message_received");
        await peer.NextAsync("response_start");
        var model = await chat.Model.NextAsync();
        model.Say("text");
        await peer.NextAsync("response_chunk");
        if (reason is null)
            model.CutOff();
        else
            model.Finish(new ChatFinishReason(reason));
        var complete = await peer.NextAsync("response_complete");
        Assert.Equal((expected, "text"), (complete.Text("finish_reason"), complete.Text("full_response")));
        Assert.Equal(status, chat.Store.AllMessages[1].Status);
        Assert.True(complete.GetProperty("usage").GetProperty("total_tokens").GetInt64() > 0);
    }

    [Fact]
    public async Task Sources_of_the_passages_are_on_response_complete()
    {
        await using var chat = new ChatHarness();
        var document = await chat.Engine.Directory.AddDocumentAsync(new NewDocument(
            chat.Alice.Id, ChatbotRecord.AssistantId, "harbour.md", "The harbour closes at nine.", ["The harbour closes at nine."]));
        var (socket, peer, _) = await chat.OpenSessionAsync();
        await socket.SendAsync("""{"message":"When closes the harbour?"}""");
        await peer.NextAsync("message_received");
        await peer.NextAsync("response_start");
        var model = await chat.Model.NextAsync();
        Assert.True(ModelContext.TryGetPassages(model.Prompt[^2], out var passages));
        Assert.Equal(new ModelPassage("harbour.md", "The harbour closes at nine."), Assert.Single(passages));
        model.Say("At nine.").Finish();
        await peer.NextAsync("response_chunk");
        var source = Assert.Single((await peer.NextAsync("response_complete")).GetProperty("sources").EnumerateArray());
        Assert.Equal("document_id file_name passage text", source.Fields());
        Assert.Equal((document.Id, "harbour.md", 0), (source.Text("document_id"), source.Text("file_name"), source.GetProperty("passage").GetInt32()));
    }
}
