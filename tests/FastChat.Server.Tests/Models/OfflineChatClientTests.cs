using FastChat.Chat;
using FastChat.Server.Models;
using FastChat.TestKit;
using Microsoft.Extensions.AI;

namespace FastChat.Server.Tests.Models;

public sealed class OfflineChatClientTests
{
    private static readonly ModelPassage Handbook = new("handbook.md",
        "Working hours are nine to five. Employees have 28 days of vacation a year. Unused vacation expires in March. Version 3.5 applies.");

    [Theory]
    [InlineData("Hello!", "offline model")]
    [InlineData("who are you?", "not a language model")]
    [InlineData("help", "count to 50")]
    [InlineData("Thanks a lot", "You are welcome")]
    [InlineData("count to 5", "1 2 3 4 5")]
    [InlineData("What is 12.5 * 4?", "= **50**")]
    [InlineData("7-10", "= **-3**")]
    [InlineData("1/0", "divided by zero")]
    [InlineData("repeat after me: Grüße 🌍", "Grüße 🌍")]
    [InlineData("show me markdown", "```csharp")]
    [InlineData("give me a table", "| --- |")]
    [InlineData("some code please", "```csharp")]
    [InlineData("a list with steps", "1. ")]
    [InlineData("The weather in Zürich is fine", "> The weather in Zürich is fine")]
    public async Task It_does_the_little_it_says(string question, string expected)
    {
        var answer = await Ask(Ask(question));
        Assert.Contains(expected, answer.Text, StringComparison.Ordinal);
        Assert.Equal(ChatFinishReason.Stop, answer.FinishReason);
    }

    [Fact]
    public async Task The_same_conversation_has_the_same_answer_word_by_word()
    {
        var first = await Ask(Ask("What about tables?"));
        var second = await Ask(Ask("What about tables?"));
        Assert.Equal(first.Pieces, second.Pieces);
        Assert.True(first.Pieces.Count > 20);
        Assert.All(first.Pieces, p => Assert.Single(p.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
    }

    [Fact]
    public async Task Usage_counts_words_of_both_sides()
    {
        var answer = await Ask(new ChatMessage(ChatRole.System, "Be kind."), new ChatMessage(ChatRole.User, "count to 4"));
        Assert.Equal((5, 4, 9), (answer.Usage!.InputTokenCount, answer.Usage.OutputTokenCount, answer.Usage.TotalTokenCount));
    }

    [Fact]
    public async Task A_limit_ends_the_answer_with_length()
    {
        using var client = new OfflineChatClient(TimeSpan.Zero, TimeProvider.System);
        var answer = await client.GetStreamingResponseAsync([Ask("count to 10")], new ChatOptions { MaxOutputTokens = 3 },
            TestContext.Current.CancellationToken).CollectAsync();
        Assert.Equal(("1 2 3 ", ChatFinishReason.Length, 3L), (answer.Text, answer.FinishReason, answer.Usage!.OutputTokenCount));
    }

    [Fact]
    public async Task A_question_a_document_answers_is_answered_with_its_sentence_and_source()
    {
        var answer = await Ask(ModelContext.CreatePassages([Handbook, new("menu.md", "Monday is soup.")]), Ask("How many vacation days do employees have?"));
        Assert.Contains("> Employees have 28 days of vacation a year.", answer.Text, StringComparison.Ordinal);
        Assert.Contains("*handbook.md*", answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("menu.md", answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("nine to five", answer.Text, StringComparison.Ordinal);
        Assert.Contains("do not reason", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Documents_that_match_no_word_are_left_alone()
    {
        var answer = await Ask(ModelContext.CreatePassages([Handbook]), Ask("Where is Timbuktu?"));
        Assert.DoesNotContain("handbook", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_summary_lists_what_the_user_said_and_the_documents()
    {
        var answer = await Ask(
            Ask("I moved to Bern."), new ChatMessage(ChatRole.Assistant, "So?"), Ask("Bern has a river."),
            ModelContext.CreatePassages([Handbook]), Ask("Please summarise"));
        Assert.Contains("- I moved to Bern.\n- Bern has a river.\n", answer.Text, StringComparison.Ordinal);
        Assert.Contains("- **handbook.md**: Working hours", answer.Text, StringComparison.Ordinal);
        Assert.Contains("*bern*", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_text_after_a_colon_is_what_is_summarised()
    {
        var answer = await Ask(Ask("Ignore me."), Ask("Summarize this: First point. Second point."));
        Assert.Contains("You said 2 things:\n\n- First point.\n- Second point.", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Counting_stops_at_its_limit()
    {
        var answer = await Ask(Ask("count to 999999999"));
        Assert.EndsWith("1000\n\nI stop at 1000.", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_asked_is_answered_too() => Assert.StartsWith("You sent nothing yet.", (await Ask()).Text, StringComparison.Ordinal);

    [Fact]
    public async Task Cancelling_stops_between_two_words()
    {
        using var client = new OfflineChatClient(TimeSpan.Zero, TimeProvider.System);
        using var stop = new CancellationTokenSource();
        int seen = 0;
        async Task ReadAsync()
        {
            await foreach (var update in client.Ask("count to 1000", stop.Token))
                if (++seen == 10) await stop.CancelAsync();
        }
        var failure = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ReadAsync().WaitAsync(FakeUpstream.Bound, TestContext.Current.CancellationToken));
        Assert.Equal((10, stop.Token), (seen, failure.CancellationToken));
    }

    [Fact]
    public async Task The_pace_is_that_of_the_clock_and_cancelling_ends_the_pause()
    {
        var timers = new ManualTimers();
        using var client = new OfflineChatClient(TimeSpan.FromMilliseconds(40), timers);
        using var stop = new CancellationTokenSource();
        await using var updates = client.Ask("count to 3", stop.Token).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await updates.MoveNextAsync().AsTask().WaitAsync(FakeUpstream.Bound));
        var second = updates.MoveNextAsync().AsTask();
        (await timers.ArmedAsync(TimeSpan.FromMilliseconds(40))).Fire();
        Assert.True(await second.WaitAsync(FakeUpstream.Bound));
        var third = updates.MoveNextAsync().AsTask();
        await timers.ArmedAsync(TimeSpan.FromMilliseconds(40));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => third.WaitAsync(FakeUpstream.Bound));
    }

    [Fact]
    public async Task A_pause_that_lasted_too_long_is_made_up_for()
    {
        var time = new FakeTimeProvider();
        using var client = new OfflineChatClient(TimeSpan.FromMilliseconds(40), time);
        await using var updates = client.Ask("count to 4", CancellationToken.None).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await updates.MoveNextAsync().AsTask().WaitAsync(FakeUpstream.Bound));
        var second = updates.MoveNextAsync().AsTask();
        time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.True(await second.WaitAsync(FakeUpstream.Bound));
        // The third was due at 80 ms, and comes at once; the fourth at 120.
        Assert.True(await updates.MoveNextAsync().AsTask().WaitAsync(FakeUpstream.Bound));
        var fourth = updates.MoveNextAsync().AsTask();
        time.Advance(TimeSpan.FromMilliseconds(19));
        Assert.False(fourth.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(await fourth.WaitAsync(FakeUpstream.Bound));
    }

    [Theory]
    [InlineData("Costs 3.5 euros. Really? Yes!\nAnd more", "Costs 3.5 euros.|Really?|Yes!|And more")]
    [InlineData("これは。それは", "これは。|それは")]
    [InlineData(" \r\n\n", "")]
    public void Sentences_end_where_a_reader_would_end_them(string text, string expected) =>
        Assert.Equal(expected, string.Join('|', OfflineText.Sentences(text)));

    [Fact]
    public void Shortening_never_cuts_a_character_in_two()
    {
        string text = "ab" + string.Concat(Enumerable.Repeat("🌍", 10));
        for (int most = 3; most < 25; most++)
        {
            string cut = OfflineText.Shorten(text, most);
            Assert.True(cut.Length <= most);
            Assert.DoesNotContain('\ufffd', System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(cut)));
        }
    }

    private static ChatMessage Ask(string text) => new(ChatRole.User, text);

    private static async Task<ModelHarness.Answer> Ask(params ChatMessage[] messages)
    {
        using var client = new OfflineChatClient(TimeSpan.Zero, TimeProvider.System);
        var answer = await client.GetStreamingResponseAsync(messages, null, TestContext.Current.CancellationToken).CollectAsync();
        answer.Succeeded();
        return answer;
    }
}
