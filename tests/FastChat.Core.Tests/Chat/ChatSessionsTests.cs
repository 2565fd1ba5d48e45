using FastChat.Chat;
using FastChat.Chat.Dialects;
using FastChat.Storage;
using FastChat.TestKit;

namespace FastChat.Core.Tests.Chat;

public sealed class ChatSessionsTests
{
    private static SessionRequest Request(ChatHarness chat) => new(chat.Alice.Id, ChatbotRecord.AssistantId);

    [Fact]
    public async Task The_first_session_with_a_chatbot_starts_a_conversation_and_the_next_goes_on_with_it()
    {
        await using var chat = new ChatHarness();
        var first = await chat.Engine.Sessions.OpenAsync(Request(chat));
        Assert.Empty(first.PreviousMessages);
        Assert.Equal(("Assistant", ChatbotRecord.AssistantId), (first.Session.ChatbotName, first.Session.ChatbotId));
        await chat.AskAsync("hi", "there", first.Conversation.Id);
        var second = await chat.Engine.Sessions.OpenAsync(Request(chat));
        Assert.Equal(first.Conversation.Id, second.Session.ConversationId);
        Assert.NotEqual(first.Session.Id, second.Session.Id);
        Assert.Equal(["hi", "there"], second.PreviousMessages.Select(m => m.Content));
    }

    [Fact]
    public async Task A_session_may_name_its_conversation_or_ask_for_a_new_one()
    {
        await using var chat = new ChatHarness();
        var older = await chat.AskAsync("older", "a");
        chat.Time.Advance(TimeSpan.FromSeconds(1));
        await chat.AskAsync("newer", "b");
        var named = await chat.Engine.Sessions.OpenAsync(Request(chat) with { ConversationId = older.Conversation.Id });
        Assert.Equal(older.Conversation.Id, named.Session.ConversationId);
        var fresh = await chat.Engine.Sessions.OpenAsync(Request(chat) with { StartNew = true });
        Assert.Empty(fresh.PreviousMessages);
        var bot = await chat.Engine.Directory.CreateChatbotAsync(new NewChatbot(chat.Alice.Id, "Other"));
        foreach (var wrong in (SessionRequest[])[
            Request(chat) with { ChatbotId = "none" },
            Request(chat) with { ConversationId = "none" },
            Request(chat) with { ChatbotId = bot.Id, ConversationId = older.Conversation.Id },
            new SessionRequest(chat.Bob.Id, ChatbotRecord.AssistantId) { ConversationId = older.Conversation.Id },
            new SessionRequest(chat.Bob.Id, bot.Id)])
            Assert.Equal(ChatErrorCode.NotFound,
                (await Assert.ThrowsAsync<ChatException>(() => chat.Engine.Sessions.OpenAsync(wrong).AsTask())).Error.Code);
        Assert.Same(fresh.Session, chat.Engine.Sessions.Find(chat.Alice.Id, fresh.Session.Id));
    }

    [Fact]
    public async Task A_new_session_closes_the_old_one_and_tells_every_socket_of_it()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        var (_, second) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        await second.NextAsync("session_info");
        var opened = await chat.Engine.Sessions.OpenAsync(Request(chat));
        foreach (var old in (RecordingPeer[])[peer, second])
        {
            Assert.Equal("session_replaced", (await old.NextAsync("error")).Text("code"));
            Assert.Equal((4001, "A newer session took this one's place."), await old.Closed);
        }
        Assert.Null(chat.Engine.Sessions.Find(chat.Alice.Id, session.Id));
        Assert.NotNull(chat.Engine.Sessions.Find(chat.Alice.Id, opened.Session.Id));
        Assert.Equal(1, chat.Engine.Sessions.Count);
        await socket.SendAsync("""{"message":"anybody there?"}""");
        Assert.Equal("session_closed", (await peer.NextAsync("error")).Text("code"));
        Assert.Empty(chat.Store.AllMessages);
    }

    [Fact]
    public async Task An_answer_goes_on_when_its_session_is_replaced()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        await socket.SendAsync("""{"message":"hi"}""");
        var model = await chat.Model.NextAsync();
        var (_, next, _) = await chat.OpenSessionAsync();
        await socket.DisposeAsync();
        model.Say("still here").Finish();
        Assert.Equal("still here", (await next.NextAsync("response_complete")).Text("full_response"));
        Assert.NotNull(peer);
    }

    [Fact]
    public async Task Sessions_of_different_users_do_not_disturb_each_other()
    {
        await using var chat = new ChatHarness();
        var alice = await chat.Engine.Sessions.OpenAsync(Request(chat));
        var bob = await chat.Engine.Sessions.OpenAsync(new SessionRequest(chat.Bob.Id, ChatbotRecord.AssistantId));
        Assert.NotEqual(alice.Conversation.Id, bob.Conversation.Id);
        Assert.Equal(2, chat.Engine.Sessions.Count);
        Assert.False(chat.Engine.Sessions.Close(chat.Bob.Id, alice.Session.Id));
        Assert.Null(chat.Engine.Sessions.Find(chat.Bob.Id, alice.Session.Id));
        Assert.True(chat.Engine.Sessions.Close(chat.Alice.Id, alice.Session.Id));
        Assert.False(chat.Engine.Sessions.Close(chat.Alice.Id, alice.Session.Id));
        Assert.Equal(1, chat.Engine.Sessions.Count);
    }

    [Fact]
    public async Task Deleting_a_session_tells_its_socket_and_closes_it_normally()
    {
        await using var chat = new ChatHarness();
        var (_, peer, session) = await chat.OpenSessionAsync();
        Assert.True(chat.Engine.Sessions.Close(chat.Alice.Id, session.Id));
        Assert.Equal("session_closed", (await peer.NextAsync("error")).Text("code"));
        Assert.Equal(1000, (await peer.Closed).Code);
    }

    [Fact]
    public async Task Deleting_the_conversation_ends_its_session()
    {
        await using var chat = new ChatHarness();
        var (_, peer, session) = await chat.OpenSessionAsync();
        await chat.Engine.Directory.DeleteConversationAsync(chat.Alice.Id, session.ConversationId);
        Assert.Equal("session_closed", (await peer.NextAsync("error")).Text("code"));
        Assert.Equal(0, chat.Engine.Sessions.Count);
    }

    [Fact]
    public async Task A_session_without_a_socket_ends_after_the_grace_period()
    {
        await using var chat = new ChatHarness();
        var opened = await chat.Engine.Sessions.OpenAsync(Request(chat));
        chat.Time.Advance(TimeSpan.FromSeconds(59));
        var (socket, _) = await chat.OpenAsync(ChatDialect.Session, opened.Session.Id);
        chat.Time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(1, chat.Engine.Sessions.Count);
        await socket.DisposeAsync();
        chat.Time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(1, chat.Engine.Sessions.Count);
        chat.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(0, chat.Engine.Sessions.Count);
    }

    [Fact]
    public async Task A_second_socket_keeps_a_session_when_the_first_goes()
    {
        await using var chat = new ChatHarness();
        var (socket, _, session) = await chat.OpenSessionAsync();
        var (second, _) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        await socket.DisposeAsync();
        await socket.DisposeAsync();
        chat.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(1, chat.Engine.Sessions.Count);
        await second.DisposeAsync();
        chat.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(0, chat.Engine.Sessions.Count);
    }

    [Fact]
    public async Task A_session_that_nobody_uses_ends_and_its_socket_is_told()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        chat.Time.Advance(TimeSpan.FromMinutes(29));
        await socket.SendAsync("""{"type":"stop"}""");
        chat.Time.Advance(TimeSpan.FromMinutes(29));
        Assert.Equal(1, chat.Engine.Sessions.Count);
        chat.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("session_closed", (await peer.NextAsync("error")).Text("code"));
        Assert.Equal((4002, "The session was closed for want of use."), await peer.Closed);
    }

    [Fact]
    public async Task An_answer_that_runs_is_use_enough()
    {
        await using var chat = new ChatHarness(o => (o.SessionIdleTimeout, o.GenerationTimeout, o.StallTimeout, o.FirstChunkTimeout) =
            (TimeSpan.FromMinutes(1), TimeSpan.FromHours(1), TimeSpan.FromHours(1), TimeSpan.FromHours(1)));
        var (socket, peer, _) = await chat.OpenSessionAsync();
        await socket.SendAsync("""{"message":"think long"}""");
        var model = await chat.Model.NextAsync();
        chat.Time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(1, chat.Engine.Sessions.Count);
        model.Say("done").Finish();
        await ChatHarness.UntilAsync(() => chat.Store.AllMessages.Count == 2);
        Assert.False(peer.IsClosed);
    }

    [Fact]
    public async Task Sockets_and_sessions_have_limits()
    {
        await using var chat = new ChatHarness(o => (o.MaxSocketsPerSession, o.MaxSessions) = (2, 1));
        var (_, _, session) = await chat.OpenSessionAsync();
        var (second, _) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        var peer = new RecordingPeer();
        Assert.False(await chat.Socket(ChatDialect.Session, peer, chat.Alice, session.Id).OpenAsync().Bounded());
        Assert.Equal("overloaded", (await peer.NextAsync("error")).Text("code"));
        await second.DisposeAsync();
        await chat.OpenAsync(ChatDialect.Session, session.Id);
        var refused = await Assert.ThrowsAsync<ChatException>(
            () => chat.Engine.Sessions.OpenAsync(new SessionRequest(chat.Bob.Id, ChatbotRecord.AssistantId)).AsTask());
        Assert.Equal(ChatErrorCode.Overloaded, refused.Error.Code);
        await chat.Engine.Sessions.OpenAsync(Request(chat));
    }

    [Fact]
    public async Task Of_many_sessions_opened_at_once_one_is_left()
    {
        await using var chat = new ChatHarness();
        var opened = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(
            () => chat.Engine.Sessions.OpenAsync(Request(chat)).AsTask()))).Bounded();
        Assert.Equal(1, chat.Engine.Sessions.Count);
        Assert.Single(opened, o => chat.Engine.Sessions.Find(chat.Alice.Id, o.Session.Id) is not null);
    }

    [Fact]
    public async Task Sockets_that_come_and_go_while_sessions_change_leave_nothing_behind()
    {
        await using var chat = new ChatHarness();
        chat.Model.Reply = _ => ["a", "b"];
        var opening = Task.Run(async () =>
        {
            for (int i = 0; i < 100; i++)
            {
                var opened = await chat.Engine.Sessions.OpenAsync(Request(chat));
                var socket = ChatSocket.Create(ChatDialect.Session, chat.Engine, new RecordingPeer(),
                    new ChatSocketRequest { User = chat.Alice, SessionId = opened.Session.Id }, chat.Limiter);
                var open = socket.OpenAsync().AsTask();
                if (i % 2 == 0)
                    await open;
                await socket.SendAsync("""{"message":"hi"}""");
                await socket.DisposeAsync();
                await open;
            }
        });
        await opening.Bounded();
        chat.Time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(0, chat.Engine.Sessions.Count);
        await chat.Engine.DrainAsync().Bounded();
        chat.Time.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal(0, chat.Engine.LiveCount);
    }
}
