using FastChat.Chat;
using FastChat.Chat.Dialects;
using FastChat.Storage;

namespace FastChat.Core.Tests.Chat.Dialects;

/// <summary>Going on with an answer on another socket, or on the same.</summary>
public sealed class ResumeTests
{
    [Fact]
    public async Task Resume_after_a_lost_socket_brings_the_rest_once()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        var (_, answerId, model) = await chat.AskAsync(socket, peer);
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
        var (text, complete) = await second.TakeAnswerAsync(2);
        Assert.Equal("three four five", text);
        Assert.Equal("one two three four five", complete.Text("full_response"));
        Assert.Equal(0, second.Pending);
    }

    [Fact]
    public async Task Resume_with_nothing_seen_brings_everything_and_the_questions_id_will_do()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        var (messageId, answerId, model) = await chat.AskAsync(socket, peer);
        model.Say("one ", "two ");
        await peer.NextAsync("response_chunk");
        var (again, second) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        await second.NextAsync("session_info");
        await again.SendAsync($$"""{"type":"resume","message_id":"{{messageId}}"}""");
        var chunk = await second.NextAsync("response_chunk");
        Assert.Equal(answerId, chunk.Text("message_id"));
        model.Say("three").Finish();
        var (text, _) = await second.TakeAnswerAsync(chunk.GetProperty("seq").GetInt32());
        Assert.Equal("one two three", chunk.Text("chunk") + text);
    }

    [Fact]
    public async Task A_finished_answer_can_be_resumed_while_it_is_kept_and_is_whole_afterwards()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        var (_, answerId, model) = await chat.AskAsync(socket, peer);
        model.Say("one ");
        await peer.NextAsync("response_chunk");
        model.Say("two").Finish();
        await peer.TakeAnswerAsync(1);
        string resume = $$"""{"type":"resume","message_id":"{{answerId}}","last_seq":1}""";
        await socket.SendAsync(resume);
        var (text, complete) = await peer.TakeAnswerAsync(1);
        Assert.Equal(("two", "one two"), (text, complete.Text("full_response")));

        chat.Time.Advance(TimeSpan.FromMinutes(3));
        await socket.SendAsync(resume);
        (text, complete) = await peer.TakeAnswerAsync(1);
        Assert.Equal(("", "one two", answerId), (text, complete.Text("full_response"), complete.Text("message_id")));
    }

    [Fact]
    public async Task Resume_beyond_the_last_chunk_is_refused()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        var (_, answerId, model) = await chat.AskAsync(socket, peer);
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
        var (_, _, model) = await chat.AskAsync(socket, peer);
        model.Say("one ");
        await peer.NextAsync("response_chunk");
        var (_, second) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        await second.NextAsync("session_info");
        model.Say("two").Finish();
        Assert.Equal("one two", (await second.NextAsync("response_complete")).Text("full_response"));
        var (text, _) = await peer.TakeAnswerAsync(1);
        Assert.Equal("two", text);
    }

    [Fact]
    public async Task Resume_against_new_chunks_loses_nothing_and_repeats_nothing()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        var (_, answerId, model) = await chat.AskAsync(socket, peer);
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
        var (rest, complete) = await peer.TakeAnswerAsync(seq);
        Assert.Equal(complete.Text("full_response"), seen + rest);
        Assert.Equal(string.Concat(Enumerable.Range(0, words).Select(i => $"{i} ")), seen + rest);
    }
}
