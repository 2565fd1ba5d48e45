using FastChat.Storage;

namespace FastChat.Server.Tests.Storage.Contract;

public abstract class SearchContract<TStore> : StoreContract<TStore>
    where TStore : StoreUnderTest, new()
{
    private async Task<IReadOnlyList<ConversationHit>> FindAsync(UserRecord user, string query) =>
        (await Store.SearchConversationsAsync(user.Id, query, PageRequest.All).Soon()).Items;

    [Fact]
    public async Task Messages_and_titles_are_found()
    {
        var alice = await UserAsync();
        var titled = await ConversationAsync(alice, "The badger sett");
        var spoken = await ConversationAsync(alice);
        await SayAsync(spoken, "I saw a badger near the river.");
        var newest = await SayAsync(spoken, "And a second badger after it.");
        await ConversationAsync(alice, "otters");
        var hits = await FindAsync(alice, "badger");
        Assert.Equal([spoken.Id, titled.Id], hits.Select(hit => hit.Conversation.Id));
        Assert.Equal([newest.Id, null], hits.Select(hit => hit.MessageId));
        Assert.Equal(["And a second badger after it.", "The badger sett"], hits.Select(hit => hit.Snippet));
    }

    [Fact]
    public async Task Every_word_must_be_in_the_same_text_and_may_be_a_beginning()
    {
        var alice = await UserAsync();
        var conversation = await ConversationAsync(alice);
        await SayAsync(conversation, "Crème brûlée for DESSERT");
        await SayAsync(conversation, "nothing");
        foreach (string query in new[] { "creme", "CRÈME dess", "brulee", "des crem", "\"dessert\"" })
            Assert.Single(await FindAsync(alice, query));
        foreach (string query in new[] { "creme nothing", "esser", "cremes" })
            Assert.Empty(await FindAsync(alice, query));
    }

    [Theory]
    [InlineData("東京タワーへ行きたい", "東京")]
    [InlineData("東京タワーへ行きたい", "京")]
    [InlineData("東京タワーへ行きたい", "タワー")]
    [InlineData("我想吃北京烤鸭", "烤鸭")]
    [InlineData("สวัสดีครับ", "สวัสดี")]
    [InlineData("안녕하세요 세계", "안녕")]
    [InlineData("Привет, Мир", "мир")]
    [InlineData("party 🎉 tonight", "🎉")]
    [InlineData("thumbs 👍🏽 up", "👍")]
    public async Task Every_script_is_searchable(string text, string query)
    {
        var alice = await UserAsync();
        await SayAsync(await ConversationAsync(alice), text);
        Assert.Single(await FindAsync(alice, query));
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("\"")]
    [InlineData("*")]
    [InlineData("()")]
    [InlineData("- ^ : + {} \\")]
    [InlineData("\0")]
    [InlineData("\u0301")]
    public async Task A_query_without_words_finds_nothing(string query)
    {
        var alice = await UserAsync();
        await SayAsync(await ConversationAsync(alice, "a title"), "some text");
        Assert.Empty(await FindAsync(alice, query));
        Assert.Empty(await Store.SearchPassagesAsync(new PassageQuery(alice.Id, query)).Soon());
    }

    [Theory]
    [InlineData("AND")]
    [InlineData("and OR not")]
    [InlineData("NEAR(text, 3)")]
    [InlineData("terms: text")]
    [InlineData("scope : u1")]
    [InlineData("te*xt")]
    [InlineData("\"unclosed text")]
    [InlineData("text'); DROP TABLE messages; --")]
    [InlineData("a\u0001text")]
    [InlineData("%' OR 1=1")]
    public async Task Query_syntax_is_only_words(string query)
    {
        var alice = await UserAsync();
        var conversation = await ConversationAsync(alice);
        await SayAsync(conversation, "text");
        Assert.Empty(await FindAsync(alice, query));
        await SayAsync(conversation, query);
        Assert.Single(await FindAsync(alice, query));
    }

    [Fact]
    public async Task A_pasted_page_is_a_query_too()
    {
        var alice = await UserAsync();
        string page = string.Join(' ', Enumerable.Range(0, 20_000).Select(i => $"word{i}"));
        await SayAsync(await ConversationAsync(alice), page);
        Assert.Single(await FindAsync(alice, page));
        Assert.Empty(await FindAsync(alice, "nothing " + page));
    }

    [Fact]
    public async Task Hits_come_in_pages()
    {
        var alice = await UserAsync();
        var made = new List<string>();
        for (int i = 0; i < 7; i++)
        {
            var conversation = await ConversationAsync(alice);
            await SayAsync(conversation, "badger");
            made.Insert(0, conversation.Id);
        }
        var hits = await AllAsync(3, page => Store.SearchConversationsAsync(alice.Id, "badger", page));
        Assert.Equal(made, hits.Select(hit => hit.Conversation.Id));
    }

    [Fact]
    public async Task A_renamed_conversation_is_found_by_its_new_title_only()
    {
        var alice = await UserAsync();
        var conversation = await ConversationAsync(alice, "badger");
        await Store.UpdateConversationAsync(alice.Id, conversation.Id, new ConversationChanges { Title = "otter" }).Soon();
        Assert.Empty(await FindAsync(alice, "badger"));
        Assert.Single(await FindAsync(alice, "otter"));
    }

    [Fact]
    public async Task A_snippet_shows_the_match_in_a_long_text()
    {
        var alice = await UserAsync();
        string filler = string.Concat(Enumerable.Repeat("lorem ipsum\n", 500));
        await SayAsync(await ConversationAsync(alice), filler + "the badger sleeps " + filler);
        string snippet = Assert.Single(await FindAsync(alice, "badger")).Snippet;
        Assert.Contains("the badger sleeps", snippet, StringComparison.Ordinal);
        Assert.InRange(snippet.Length, 100, 162);
        Assert.StartsWith("…", snippet, StringComparison.Ordinal);
        Assert.EndsWith("…", snippet, StringComparison.Ordinal);
    }
}
