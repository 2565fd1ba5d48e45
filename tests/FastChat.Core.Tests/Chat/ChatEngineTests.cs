using System.Diagnostics.Metrics;
using FastChat.Chat;
using FastChat.Storage;
using FastChat.TestKit;

namespace FastChat.Core.Tests.Chat;

public sealed class ChatEngineTests
{
    private static async Task<ChatErrorCode> RefusalAsync(Func<Task> action) =>
        (await Assert.ThrowsAsync<ChatException>(() => action().Bounded())).Error.Code;

    [Fact]
    public async Task A_message_starts_a_conversation_with_its_title()
    {
        await using var chat = new ChatHarness();
        var turn = await chat.AskAsync("  What is\n the   capital of France? ", "Paris.");
        Assert.Equal("What is the capital of France?", turn.Conversation.Title);
        var stored = await chat.Engine.Directory.GetConversationAsync(chat.Alice.Id, turn.Conversation.Id);
        Assert.Equal(("What is the capital of France?", 2), (stored.Title, stored.MessageCount));
    }

    [Fact]
    public async Task An_empty_conversation_gets_its_title_from_the_first_message_and_a_rename_stays()
    {
        await using var chat = new ChatHarness();
        var empty = await chat.Engine.Directory.CreateConversationAsync(chat.Alice.Id);
        Assert.Equal("", empty.Title);
        var turn = await chat.AskAsync("First words", "a", empty.Id);
        Assert.Equal("First words", turn.Conversation.Title);
        Assert.Equal("First words", (await chat.Engine.Directory.GetConversationAsync(chat.Alice.Id, empty.Id)).Title);
        await chat.Engine.Directory.RenameAsync(chat.Alice.Id, empty.Id, " My title ");
        turn = await chat.AskAsync("Other words", "b", empty.Id);
        Assert.Equal("My title", turn.Conversation.Title);
    }

    [Theory]
    [InlineData("short", 8, "short")]
    [InlineData("exactly8", 8, "exactly8")]
    [InlineData("one too long", 8, "one too…")]
    [InlineData("123456👋👋", 8, "123456…")]
    [InlineData("\n\t ", 8, "")]
    public void A_title_is_one_line_of_whole_characters(string message, int max, string title) => Assert.Equal(title, Text.ToTitle(message, max));

    [Fact]
    public async Task Ask_gives_the_whole_answer_or_throws_what_went_wrong()
    {
        await using var chat = new ChatHarness();
        chat.Model.Reply = _ => ["Hel", "lo"];
        var (turn, result) = await chat.Engine.AskAsync(new TurnRequest(chat.Alice.Id, "hi")).Bounded();
        Assert.Equal(("Hello", FinishReason.Stop, true), (result.Text, result.FinishReason, result.Saved));
        Assert.Equal(turn.Answer.Id, chat.Store.AllMessages[1].Id);
        chat.Model.Reply = _ => throw new ModelException(ModelFailure.Rejected, "No.");
        Assert.Equal(ChatErrorCode.ModelFailed, await RefusalAsync(() => chat.Engine.AskAsync(new TurnRequest(chat.Alice.Id, "hi")).AsTask()));
    }

    [Fact]
    public async Task Bad_requests_store_nothing()
    {
        await using var chat = new ChatHarness();
        string alice = chat.Alice.Id;
        (TurnRequest Request, ChatErrorCode Code)[] cases =
        [
            (new(alice, ""), ChatErrorCode.BadRequest),
            (new(alice, new string('ü', (16 << 10) + 1)), ChatErrorCode.TooLarge),
            (new(alice, "hi") { SystemPrompt = new string('x', (16 << 10) + 1) }, ChatErrorCode.TooLarge),
            (new(alice, "hi") { ClientMessageId = new string('x', 201) }, ChatErrorCode.BadRequest),
            (new(alice, "hi") { Model = "no such" }, ChatErrorCode.NotFound),
            (new(alice, "hi") { ChatbotId = "no such" }, ChatErrorCode.NotFound),
            (new(alice, "hi") { ConversationId = "no such" }, ChatErrorCode.NotFound),
            (new(alice, "hi") { FileName = "no such" }, ChatErrorCode.NotFound),
            (new("nobody", "hi"), ChatErrorCode.NotFound),
        ];
        foreach (var (request, code) in cases)
            Assert.Equal(code, await RefusalAsync(() => chat.Engine.SubmitAsync(request).AsTask()));
        Assert.Empty(chat.Store.AllMessages);
        Assert.Equal(0, chat.Engine.LiveCount);
    }

    [Fact]
    public async Task More_answers_than_allowed_are_refused_until_one_ends()
    {
        await using var chat = new ChatHarness(o => o.MaxConcurrentGenerations = 2);
        var (first, _) = await chat.SubmitAsync("a");
        await chat.SubmitAsync("b");
        Assert.Equal(ChatErrorCode.Overloaded, await RefusalAsync(() => chat.SubmitAsync("c")));
        Assert.Equal(2, chat.Store.AllMessages.Count);
        Assert.Equal(1, chat.Engine.Stop(chat.Alice.Id, first.Conversation.Id));
        await first.Answer.Completion.Bounded();
        await chat.SubmitAsync("d");
    }

    [Fact]
    public async Task A_refused_write_gives_its_place_back()
    {
        await using var chat = new ChatHarness(o => o.MaxConcurrentGenerations = 1);
        var conversation = await chat.Engine.Directory.CreateConversationAsync(chat.Alice.Id);
        chat.Store.WriteFailure = () => new StoreException(StoreError.Busy, "full");
        await Assert.ThrowsAsync<StoreException>(() => chat.SubmitAsync("a"));
        await Assert.ThrowsAsync<StoreException>(() => chat.SubmitAsync("a", conversation.Id));
        chat.Store.WriteFailure = null;
        await chat.SubmitAsync("b", conversation.Id);
    }

    [Fact]
    public async Task An_answer_is_stored_although_the_stores_queue_was_full_for_a_moment()
    {
        await using var chat = new ChatHarness();
        var (turn, _) = await chat.SubmitAsync("hi");
        var model = await chat.Model.NextAsync();
        int failures = 0;
        int timers = chat.Time.ArmedTimers;
        chat.Store.WriteFailure = () => ++failures > 0 ? new StoreException(StoreError.Busy, "full") : null!;
        model.Say("text").Finish();
        await ChatHarness.UntilAsync(() => failures == 1 && chat.Time.ArmedTimers > timers);
        chat.Store.WriteFailure = null;
        chat.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.True((await turn.Answer.Completion.Bounded()).Saved);
        Assert.Equal("text", chat.Store.AllMessages[1].Content);
    }

    [Fact]
    public async Task A_store_that_stays_full_ends_as_not_saved()
    {
        await using var chat = new ChatHarness();
        var (turn, _) = await chat.SubmitAsync("hi");
        var model = await chat.Model.NextAsync();
        chat.Store.WriteFailure = () => new StoreException(StoreError.Busy, "full");
        model.Say("text").Finish();
        // The clock must not reach the model's own time limits before its word has been heard.
        await ChatHarness.UntilAsync(() => turn.Answer.LastSeq > 0);
        await ChatHarness.UntilAsync(() =>
        {
            chat.Time.Advance(TimeSpan.FromSeconds(1));
            return turn.Answer.Completion.IsCompleted;
        });
        var result = await turn.Answer.Completion.Bounded();
        Assert.Equal((false, ChatErrorCode.Unavailable, "text"), (result.Saved, result.Error!.Code, result.Text));
        Assert.Null(await chat.Engine.FindTurnAsync(chat.Alice.Id, turn.Conversation.Id, turn.Id));
    }

    [Fact]
    public async Task A_history_that_cannot_be_read_is_an_error_and_not_an_answer_without_it()
    {
        await using var chat = new ChatHarness();
        var turn = await chat.AskAsync("a", "b");
        chat.Store.ReadFailure = () => new StoreException(StoreError.Unavailable, "broken");
        var (second, _) = await chat.SubmitAsync("c", turn.Conversation.Id);
        Assert.Equal(ChatErrorCode.Unavailable, (await second.Answer.Completion.Bounded()).Error!.Code);
        Assert.Equal(1, chat.Model.Requests);
    }

    [Theory]
    [InlineData(89, false)]
    [InlineData(91, true)]
    public async Task A_model_without_a_first_word_is_given_up(int seconds, bool over)
    {
        await using var chat = new ChatHarness();
        var (turn, _) = await chat.SubmitAsync("hi");
        var model = await chat.Model.NextAsync();
        chat.Time.Advance(TimeSpan.FromSeconds(seconds));
        Assert.Equal(over, turn.Answer.IsFinished);
        if (!over)
            return;
        await model.WhenCancelledAsync();
        Assert.Equal(ChatErrorCode.ModelTimedOut, (await turn.Answer.Completion.Bounded()).Error!.Code);
        Assert.Equal(MessageStatus.Failed, chat.Store.AllMessages[1].Status);
    }

    [Fact]
    public async Task A_model_that_falls_silent_is_given_up_and_its_words_are_kept()
    {
        await using var chat = new ChatHarness();
        var (turn, _) = await chat.SubmitAsync("hi");
        var model = await chat.Model.NextAsync();
        for (int i = 1; i <= 3; i++)
        {
            model.Say("x");
            await ChatHarness.UntilAsync(() => turn.Answer.LastSeq == i);
            chat.Time.Advance(TimeSpan.FromSeconds(50));
            Assert.False(turn.Answer.IsFinished);
        }
        chat.Time.Advance(TimeSpan.FromSeconds(11));
        var result = await turn.Answer.Completion.Bounded();
        Assert.Equal(("xxx", "error", ChatErrorCode.ModelTimedOut), (result.Text, result.FinishReason, result.Error!.Code));
    }

    [Fact]
    public async Task A_model_that_never_ends_is_given_up_in_the_end()
    {
        await using var chat = new ChatHarness();
        var (turn, _) = await chat.SubmitAsync("hi");
        var model = await chat.Model.NextAsync();
        for (int i = 1; i < 20; i++)
        {
            model.Say("x");
            await ChatHarness.UntilAsync(() => turn.Answer.LastSeq == i);
            chat.Time.Advance(TimeSpan.FromSeconds(30));
            Assert.False(turn.Answer.IsFinished);
        }
        chat.Time.Advance(TimeSpan.FromSeconds(31));
        Assert.True(turn.Answer.IsFinished);
        await turn.Answer.Completion.Bounded();
    }

    [Fact]
    public async Task A_models_own_time_out_is_no_stop()
    {
        await using var chat = new ChatHarness();
        var (turn, _) = await chat.SubmitAsync("hi");
        (await chat.Model.NextAsync()).Fail(new TaskCanceledException("HttpClient.Timeout"));
        var result = await turn.Answer.Completion.Bounded();
        Assert.Equal((ChatErrorCode.ModelTimedOut, "error"), (result.Error!.Code, result.FinishReason));
    }

    [Fact]
    public async Task An_endless_answer_ends_with_length_and_the_model_is_stopped()
    {
        await using var chat = new ChatHarness(o => o.MaxAnswerChars = 64);
        var (turn, _) = await chat.SubmitAsync("hi");
        var model = await chat.Model.NextAsync();
        model.Say(new string('x', 50), new string('y', 50));
        await model.WhenCancelledAsync();
        var result = await turn.Answer.Completion.Bounded();
        Assert.Equal((64, "length"), (result.Text.Length, result.FinishReason));
    }

    [Fact]
    public async Task Nobody_stops_anothers_answer()
    {
        await using var chat = new ChatHarness();
        var (turn, _) = await chat.SubmitAsync("hi");
        Assert.Equal(0, chat.Engine.Stop(chat.Bob.Id, turn.Conversation.Id));
        Assert.Null(await chat.Engine.FindTurnAsync(chat.Bob.Id, turn.Conversation.Id, turn.Id));
        Assert.Equal(0, chat.Engine.Stop(chat.Alice.Id, turn.Conversation.Id, "another"));
        Assert.Equal(1, chat.Engine.Stop(chat.Alice.Id, turn.Conversation.Id, turn.Answer.Id));
        Assert.Equal(0, chat.Engine.Stop(chat.Alice.Id, turn.Conversation.Id));
    }

    [Fact]
    public async Task The_acknowledgement_comes_after_the_commit_and_before_the_model_whatever_becomes_of_it()
    {
        await using var chat = new ChatHarness();
        int stored = 0;
        int asked = -1;
        var (turn, _) = await chat.Engine.SubmitAsync(new TurnRequest(chat.Alice.Id, "hi"), submission =>
        {
            stored = chat.Store.AllMessages.Count;
            asked = chat.Model.Requests;
            throw new InvalidOperationException("the socket broke");
        }).Bounded();
        Assert.Equal((1, 0), (stored, asked));
        (await chat.Model.NextAsync()).Say("still answered").Finish();
        Assert.Equal("still answered", (await turn.Answer.Completion.Bounded()).Text);
    }

    [Fact]
    public async Task Drain_refuses_new_messages_and_waits_for_the_answers_that_run()
    {
        await using var chat = new ChatHarness();
        var (turn, _) = await chat.SubmitAsync("hi");
        var model = await chat.Model.NextAsync();
        var drain = chat.Engine.DrainAsync();
        Assert.True(chat.Engine.IsDraining);
        Assert.Equal(ChatErrorCode.ShuttingDown, await RefusalAsync(() => chat.SubmitAsync("late")));
        Assert.False(drain.IsCompleted);
        model.Say("in peace").Finish();
        await drain.Bounded();
        Assert.Equal(("in peace", MessageStatus.Complete), (chat.Store.AllMessages[1].Content, chat.Store.AllMessages[1].Status));
        Assert.True(turn.Answer.Completion.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task At_the_deadline_of_a_drain_what_came_is_stored()
    {
        await using var chat = new ChatHarness();
        var (turn, _) = await chat.SubmitAsync("running");
        await chat.SubmitAsync("waiting", turn.Conversation.Id);
        var model = await chat.Model.NextAsync();
        model.Say("as far as");
        await ChatHarness.UntilAsync(() => turn.Answer.LastSeq == 1);
        using var deadline = new CancellationTokenSource();
        var drain = chat.Engine.DrainAsync(deadline.Token);
        await deadline.CancelAsync();
        await drain.Bounded();
        await model.WhenCancelledAsync();
        var answers = chat.Store.AllMessages.Where(m => m.Role == MessageRole.Assistant).ToArray();
        Assert.Equal(["as far as", ""], answers.Select(a => a.Content));
        Assert.All(answers, a => Assert.Equal((MessageStatus.Truncated, "truncated"), (a.Status, a.FinishReason)));
        Assert.Equal(1, chat.Model.Requests);
    }

    [Fact]
    public async Task A_drain_does_not_wait_for_an_acknowledgement_that_hangs()
    {
        await using var chat = new ChatHarness();
        var never = new TaskCompletionSource();
        var submitting = chat.Engine.SubmitAsync(new TurnRequest(chat.Alice.Id, "hi"), _ => new ValueTask(never.Task)).AsTask();
        await ChatHarness.UntilAsync(() => chat.Store.AllMessages.Count == 1);
        await chat.Engine.DrainAsync(new CancellationToken(true)).Bounded();
        Assert.Equal("truncated", chat.Store.AllMessages[1].FinishReason);
        never.SetResult();
        Assert.True((await submitting.Bounded()).Turn.Answer.Completion.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task A_drain_with_nothing_to_wait_for_is_over_at_once()
    {
        await using var chat = new ChatHarness();
        await chat.Engine.DrainAsync().Bounded();
    }

    [Fact]
    public async Task Drain_and_messages_at_once_never_lose_an_answer()
    {
        for (int round = 0; round < 20; round++)
        {
            await using var chat = new ChatHarness();
            chat.Model.Reply = _ => ["text"];
            var turns = new List<Task<ChatSubmission>>();
            for (int i = 0; i < 20; i++)
                turns.Add(Task.Run(() => chat.SubmitAsync("hi")));
            await chat.Engine.DrainAsync().Bounded();
            int answers = chat.Store.AllMessages.Count(m => m.Role == MessageRole.Assistant);
            await Task.WhenAll(turns.Select(t => t.ContinueWith(_ => { }, TaskScheduler.Default))).Bounded();
            Assert.Equal(turns.Count(t => t.IsCompletedSuccessfully), answers);
            Assert.Equal(2 * answers, chat.Store.AllMessages.Count);
        }
    }

    [Fact]
    public async Task Nothing_stays_in_memory_once_it_is_over()
    {
        await using var chat = new ChatHarness();
        for (int i = 0; i < 5; i++)
            await chat.AskAsync("hi", "there");
        await ChatHarness.UntilAsync(() => chat.Engine.LiveCount == 5);
        chat.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(5, chat.Engine.LiveCount);
        chat.Time.Advance(TimeSpan.FromMinutes(1.1));
        Assert.Equal(0, chat.Engine.LiveCount);
    }

    [Fact]
    public async Task Finished_answers_kept_for_resuming_have_a_budget()
    {
        await using var chat = new ChatHarness(o => o.MaxRetainedChars = 10_000);
        var turns = new List<ChatTurn>();
        for (int i = 0; i < 5; i++)
            turns.Add(await chat.AskAsync("hi", new string('x', 4000)));
        await ChatHarness.UntilAsync(() => chat.Engine.LiveCount == 2);
        Assert.False((await chat.Engine.FindTurnAsync(chat.Alice.Id, turns[0].Conversation.Id, turns[0].Id))!.Answer.HasChunks);
        Assert.True((await chat.Engine.FindTurnAsync(chat.Alice.Id, turns[4].Conversation.Id, turns[4].Id))!.Answer.HasChunks);
    }

    [Fact]
    public async Task A_host_whose_listener_throws_does_not_leave_a_conversation_waiting()
    {
        await using var chat = new ChatHarness();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter == chat.Engine.Metrics.Meter && instrument.Name == "fastchat.generations")
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => throw new InvalidOperationException("the host's own"));
        listener.Start();
        chat.Model.Reply = _ => ["text"];
        var (turn, _) = await chat.SubmitAsync("hi");
        Assert.Equal(ChatErrorCode.Internal, (await turn.Answer.Completion.Bounded()).Error!.Code);
        listener.Dispose();
        var (second, _) = await chat.SubmitAsync("again", turn.Conversation.Id);
        Assert.Equal("text", (await second.Answer.Completion.Bounded()).Text);
    }

    [Fact]
    public void Options_refuse_what_is_not_finite_or_makes_no_sense()
    {
        var options = new ChatEngineOptions();
        Action[] wrong =
        [
            () => options.MaxMessageBytes = 0, () => options.MaxEnvelopeBytes = 1, () => options.MaxAnswerChars = 0,
            () => options.MaxChunkChars = 0, () => options.MaxQueuedTurns = -1, () => options.MaxConcurrentGenerations = 0,
            () => options.FirstChunkTimeout = Timeout.InfiniteTimeSpan, () => options.StallTimeout = TimeSpan.Zero,
            () => options.GenerationTimeout = TimeSpan.MaxValue, () => options.HistoryTokens = -1, () => options.MaxHistoryMessages = -1,
            () => options.MaxPassages = -1, () => options.MaxPassageChars = -1, () => options.MinPassageCoverage = double.NaN,
            () => options.MaxTitleChars = 1, () => options.ResumeRetention = TimeSpan.Zero, () => options.MaxRetainedChars = -1,
            () => options.SessionGracePeriod = TimeSpan.Zero, () => options.SessionIdleTimeout = TimeSpan.Zero, () => options.MaxSessions = 0,
            () => options.MaxSocketsPerSession = 0, () => options.MaxPreviousMessages = -1, () => options.SweepInterval = TimeSpan.Zero,
            () => options.MaxSystemPromptChars = 0,
        ];
        Assert.All(wrong, set => Assert.Throws<ArgumentOutOfRangeException>(set));
        Assert.Throws<ArgumentNullException>(() => options.BufferPool = null!);
    }
}
