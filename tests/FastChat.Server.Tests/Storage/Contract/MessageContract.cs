using FastChat.Storage;

namespace FastChat.Server.Tests.Storage.Contract;

public abstract class MessageContract<TStore> : StoreContract<TStore>
    where TStore : StoreUnderTest, new()
{
    private static NewMessage User(string text, string? clientId = null) => new(MessageRole.User, text) { ClientMessageId = clientId };

    [Fact]
    public async Task A_message_keeps_all_that_it_was_given()
    {
        var alice = await UserAsync();
        var conversation = await ConversationAsync(alice);
        var question = await SayAsync(conversation, "Why?");
        Time.Advance(TimeSpan.FromSeconds(2));
        string id = StoreId.New(Time.GetUtcNow());
        var answer = (await Store.AppendMessageAsync(alice.Id, conversation.Id, new NewMessage(MessageRole.Assistant, "Because.")
        {
            Id = id,
            TurnId = "t1",
            Model = "m1",
            FinishReason = "stop",
            Usage = new TokenUsage(12, 3),
            SourcesJson = """[{"file":"a.txt"}]""",
            Status = MessageStatus.Stopped,
        }).Soon())!.Value;
        Assert.True(answer.Created);
        var expected = new MessageRecord
        {
            Id = id,
            ConversationId = conversation.Id,
            Seq = 2,
            Role = MessageRole.Assistant,
            Content = "Because.",
            CreatedAt = Time.GetUtcNow(),
            TurnId = "t1",
            Model = "m1",
            FinishReason = "stop",
            Usage = new TokenUsage(12, 3),
            SourcesJson = """[{"file":"a.txt"}]""",
            Status = MessageStatus.Stopped,
        };
        Assert.Equal(expected, answer.Message);
        Assert.Equal(expected, await Store.GetMessageAsync(alice.Id, id).Soon());
        Assert.Equal([question, expected], (await Store.ListMessagesAsync(alice.Id, conversation.Id, PageRequest.All).Soon())!.Items);
        Assert.Equal([expected], await Store.GetTurnAsync(alice.Id, conversation.Id, "t1").Soon());
        var after = await Store.GetConversationAsync(alice.Id, conversation.Id).Soon();
        Assert.Equal((2, Time.GetUtcNow()), (after!.MessageCount, after.UpdatedAt));
    }

    [Fact]
    public async Task The_same_client_message_id_returns_the_first_message()
    {
        var alice = await UserAsync();
        var (one, other) = (await ConversationAsync(alice), await ConversationAsync(alice));
        var first = (await Store.AppendMessageAsync(alice.Id, one.Id, User("a", "c1")).Soon())!.Value;
        var again = (await Store.AppendMessageAsync(alice.Id, one.Id, User("b", "c1")).Soon())!.Value;
        Assert.Equal(new AppendResult(first.Message, Created: false), again);
        Assert.True((await Store.AppendMessageAsync(alice.Id, one.Id, User("a", "c2")).Soon())!.Value.Created);
        Assert.True((await Store.AppendMessageAsync(alice.Id, other.Id, User("a", "c1")).Soon())!.Value.Created);
        Assert.Equal(2, (await Store.GetConversationAsync(alice.Id, one.Id).Soon())!.MessageCount);
    }

    [Fact]
    public async Task The_same_message_id_returns_the_first_message()
    {
        var alice = await UserAsync();
        var conversation = await ConversationAsync(alice);
        var message = new NewMessage(MessageRole.Assistant, "a") { Id = StoreId.New(Time.GetUtcNow()) };
        Assert.True((await Store.AppendMessageAsync(alice.Id, conversation.Id, message).Soon())!.Value.Created);
        Assert.False((await Store.AppendMessageAsync(alice.Id, conversation.Id, message).Soon())!.Value.Created);
    }

    [Fact]
    public async Task Racing_repeats_store_one_message()
    {
        var alice = await UserAsync();
        var conversation = await ConversationAsync(alice);
        var results = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(
            () => Store.AppendMessageAsync(alice.Id, conversation.Id, User($"{i}", $"c{i % 4}"))))).Soon();
        Assert.Equal(4, results.Count(result => result!.Value.Created));
        Assert.Equal(4, results.Select(result => result!.Value.Message).Distinct().Count());
        Assert.Equal(4, (await Store.ListMessagesAsync(alice.Id, conversation.Id, PageRequest.All).Soon())!.Items.Count);
    }

    [Fact]
    public async Task Pages_go_back_from_the_newest_and_each_is_oldest_first()
    {
        var alice = await UserAsync();
        var conversation = await ConversationAsync(alice);
        for (int i = 1; i <= 7; i++)
            await SayAsync(conversation, $"{i}");
        var newest = await Store.ListMessagesAsync(alice.Id, conversation.Id, new PageRequest(3)).Soon();
        Assert.Equal(["5", "6", "7"], newest!.Items.Select(message => message.Content));
        await SayAsync(conversation, "8");
        var older = await Store.ListMessagesAsync(alice.Id, conversation.Id, new PageRequest(3, newest.Next)).Soon();
        Assert.Equal(["2", "3", "4"], older!.Items.Select(message => message.Content));
        var oldest = await Store.ListMessagesAsync(alice.Id, conversation.Id, new PageRequest(3, older.Items[0].Id)).Soon();
        Assert.Equal(["1"], oldest!.Items.Select(message => message.Content));
        Assert.Null(oldest.Next);
        var exact = await Store.ListMessagesAsync(alice.Id, conversation.Id, new PageRequest(8)).Soon();
        Assert.Null(exact!.Next);
        var refusal = await Assert.ThrowsAsync<StoreException>(
            () => Store.ListMessagesAsync(alice.Id, conversation.Id, new PageRequest(3, "nothing")).Soon());
        Assert.Equal(StoreError.InvalidRequest, refusal.Error);
    }

    [Fact]
    public async Task Any_text_comes_back_as_it_was()
    {
        var alice = await UserAsync();
        var conversation = await ConversationAsync(alice, "🦡 'quoted' \"title\"");
        string[] texts =
        [
            "", " ", "line\r\nline\n\ttab", "'; DROP TABLE messages; --", "日本語とEnglish", "👩‍👩‍👧‍👦 🇩🇪 é e\u0301", "\u202eright to left\u202c", "\ufeffbom",
            "\uffff\ufffe", "\u0001\u001f\u007f", "{\"json\":true}", "<script>alert(1)</script>", "%00 %s {0}",
        ];
        foreach (string text in texts)
            Assert.Equal(text, (await SayAsync(conversation, text)).Content);
        var messages = (await Store.ListMessagesAsync(alice.Id, conversation.Id, PageRequest.All).Soon())!.Items;
        Assert.Equal(texts, messages.Select(message => message.Content));
        Assert.Equal(Enumerable.Range(1, texts.Length), messages.Select(message => (int)message.Seq));
        Assert.Equal("🦡 'quoted' \"title\"", (await Store.GetConversationAsync(alice.Id, conversation.Id).Soon())!.Title);
    }

    [Fact]
    public async Task What_is_no_text_becomes_the_replacement_character()
    {
        var conversation = await ConversationAsync(await UserAsync());
        Assert.Equal("a\ufffdb", (await SayAsync(conversation, "a\ud83db")).Content);
        Assert.Equal("\ufffdx", (await SayAsync(conversation, "\udc00x")).Content);
        Assert.Equal("a\ufffdb😀", (await SayAsync(conversation, "a\0b😀")).Content);
        var messages = (await Store.ListMessagesAsync(conversation.UserId, conversation.Id, PageRequest.All).Soon())!.Items;
        Assert.Equal(["a\ufffdb", "\ufffdx", "a\ufffdb😀"], messages.Select(message => message.Content));
    }

    [Fact]
    public async Task A_message_of_a_mebibyte_is_kept()
    {
        var alice = await UserAsync();
        var conversation = await ConversationAsync(alice);
        string text = string.Concat(Enumerable.Range(0, 100_000).Select(i => $"{i:x8} é ")) + new string('x', 100_000);
        Assert.True(text.Length > 1 << 20);
        var message = await SayAsync(conversation, text);
        Assert.Equal(text, (await Store.GetMessageAsync(alice.Id, message.Id).Soon())!.Content);
        var hits = await Store.SearchConversationsAsync(alice.Id, "0001869e", PageRequest.First).Soon();
        Assert.Contains("0001869e", Assert.Single(hits.Items).Snippet, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Times_are_in_the_order_of_commits_though_the_clock_stands_still()
    {
        var conversation = await ConversationAsync(await UserAsync());
        var times = new List<DateTimeOffset>();
        for (int i = 0; i < 5; i++)
            times.Add((await SayAsync(conversation, "x")).CreatedAt);
        Assert.Equal(times.Order().Distinct(), times);
        Assert.All(times, time => Assert.Equal(TimeSpan.Zero, time.Offset));
    }
}
