using FastChat.Storage;

namespace FastChat.Server.Tests.Storage.Contract;

public abstract class ConversationContract<TStore> : StoreContract<TStore>
    where TStore : StoreUnderTest, new()
{
    [Fact]
    public async Task A_conversation_begins_with_its_first_message()
    {
        var alice = await UserAsync();
        var created = await Store.CreateConversationAsync(
            new NewConversation(alice.Id) { Title = "Hi", SystemPrompt = "Be kind." },
            new NewMessage(MessageRole.User, "Hello") { ClientMessageId = "c1", TurnId = "t1" }).Soon();
        var conversation = created!.Conversation;
        Assert.Equal((alice.Id, ChatbotRecord.AssistantId, "Hi", "Be kind.", 1),
            (conversation.UserId, conversation.ChatbotId, conversation.Title, conversation.SystemPrompt, conversation.MessageCount));
        Assert.Equal((1, conversation.Id, "Hello"),
            (created.FirstMessage!.Seq, created.FirstMessage.ConversationId, created.FirstMessage.Content));
        Assert.Equal(conversation, await Store.GetConversationAsync(alice.Id, conversation.Id).Soon());
        var messages = await Store.ListMessagesAsync(alice.Id, conversation.Id, PageRequest.All).Soon();
        Assert.Equal([created.FirstMessage], messages!.Items);
    }

    [Fact]
    public async Task There_is_none_without_a_user_and_a_chatbot()
    {
        var alice = await UserAsync();
        Assert.Null(await Store.CreateConversationAsync(new NewConversation("nobody")).Soon());
        Assert.Null(await Store.CreateConversationAsync(new NewConversation(alice.Id, "nothing")).Soon());
    }

    [Fact]
    public async Task A_message_that_cannot_be_stored_leaves_no_conversation_behind()
    {
        var alice = await UserAsync();
        var taken = await SayAsync(await ConversationAsync(alice), "one");
        var refusal = await Assert.ThrowsAsync<StoreException>(() => Store.CreateConversationAsync(
            new NewConversation(alice.Id), new NewMessage(MessageRole.User, "two") { Id = taken.Id }).Soon());
        Assert.Equal(StoreError.InvalidRequest, refusal.Error);
        Assert.Single((await Store.ListConversationsAsync(alice.Id, PageRequest.All).Soon()).Items);
    }

    [Fact]
    public async Task Anothers_conversation_is_not_there()
    {
        var (alice, bob) = (await UserAsync(), await UserAsync("bob"));
        var conversation = await ConversationAsync(alice, "secret");
        var message = await SayAsync(conversation, "secret");
        Assert.Null(await Store.GetConversationAsync(bob.Id, conversation.Id).Soon());
        Assert.Null(await Store.UpdateConversationAsync(bob.Id, conversation.Id, new ConversationChanges { Title = "Mine" }).Soon());
        Assert.False(await Store.DeleteConversationAsync(bob.Id, conversation.Id).Soon());
        Assert.Null(await Store.ListMessagesAsync(bob.Id, conversation.Id, PageRequest.All).Soon());
        Assert.Null(await Store.AppendMessageAsync(bob.Id, conversation.Id, new NewMessage(MessageRole.User, "x")).Soon());
        Assert.Null(await Store.GetMessageAsync(bob.Id, message.Id).Soon());
        Assert.Empty(await Store.GetTurnAsync(bob.Id, conversation.Id, "t1").Soon());
        Assert.Empty((await Store.ListConversationsAsync(bob.Id, PageRequest.All).Soon()).Items);
        Assert.Empty((await Store.SearchConversationsAsync(bob.Id, "secret", PageRequest.All).Soon()).Items);
        await Assert.ThrowsAsync<StoreException>(() => Store.ListConversationsAsync(bob.Id, new PageRequest(5, conversation.Id)).Soon());
        Assert.Equal("secret", (await Store.GetConversationAsync(alice.Id, conversation.Id).Soon())!.Title);
    }

    [Fact]
    public async Task A_new_title_is_activity_and_a_new_prompt_is_not()
    {
        var alice = await UserAsync();
        var conversation = await ConversationAsync(alice, "old");
        Time.Advance(TimeSpan.FromMinutes(1));
        var prompted = await Store.UpdateConversationAsync(alice.Id, conversation.Id, new ConversationChanges { SystemPrompt = "p" }).Soon();
        Assert.Equal(conversation with { SystemPrompt = "p" }, prompted);
        Time.Advance(TimeSpan.FromMinutes(1));
        var renamed = await Store.UpdateConversationAsync(alice.Id, conversation.Id, new ConversationChanges { Title = "new" }).Soon();
        Assert.Equal(("new", "p", Time.GetUtcNow()), (renamed!.Title, renamed.SystemPrompt, renamed.UpdatedAt));
        var cleared = await Store.UpdateConversationAsync(alice.Id, conversation.Id, new ConversationChanges { SystemPrompt = "" }).Soon();
        Assert.Null(cleared!.SystemPrompt);
        Assert.Equal(cleared, await Store.GetConversationAsync(alice.Id, conversation.Id).Soon());
    }

    [Fact]
    public async Task Deleting_takes_the_messages_with_it()
    {
        var alice = await UserAsync();
        var (conversation, other) = (await ConversationAsync(alice, "badger"), await ConversationAsync(alice));
        var message = await SayAsync(conversation, "badger");
        var kept = await SayAsync(other, "otter");
        Assert.True(await Store.DeleteConversationAsync(alice.Id, conversation.Id).Soon());
        Assert.False(await Store.DeleteConversationAsync(alice.Id, conversation.Id).Soon());
        Assert.Null(await Store.GetConversationAsync(alice.Id, conversation.Id).Soon());
        Assert.Null(await Store.GetMessageAsync(alice.Id, message.Id).Soon());
        Assert.Null(await Store.AppendMessageAsync(alice.Id, conversation.Id, new NewMessage(MessageRole.User, "x")).Soon());
        Assert.Empty((await Store.SearchConversationsAsync(alice.Id, "badger", PageRequest.All).Soon()).Items);
        Assert.Equal(kept, await Store.GetMessageAsync(alice.Id, kept.Id).Soon());
    }

    [Fact]
    public async Task The_last_changed_is_listed_first()
    {
        var alice = await UserAsync();
        var (a, b, c) = (await ConversationAsync(alice, "a"), await ConversationAsync(alice, "b"), await ConversationAsync(alice, "c"));
        await SayAsync(a, "up");
        var listed = await Store.ListConversationsAsync(alice.Id, PageRequest.All).Soon();
        Assert.Equal([a.Id, c.Id, b.Id], listed.Items.Select(conversation => conversation.Id));
        Assert.Equal([1, 0, 0], listed.Items.Select(conversation => conversation.MessageCount));
    }

    [Fact]
    public async Task Only_those_with_one_chatbot_are_listed_when_asked_for()
    {
        var alice = await UserAsync();
        await ConversationAsync(alice);
        var bot = await Store.CreateChatbotAsync(new NewChatbot(alice.Id, "Botty")).Soon();
        var conversation = (await Store.CreateConversationAsync(new NewConversation(alice.Id, bot!.Id)).Soon())!.Conversation;
        Assert.Equal([conversation], (await Store.ListConversationsAsync(alice.Id, PageRequest.All, bot.Id).Soon()).Items);
        Assert.Empty((await Store.ListConversationsAsync(alice.Id, PageRequest.All, "nothing").Soon()).Items);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(10)]
    [InlineData(100)]
    public async Task Pages_show_everything_once_while_others_write_and_delete(int limit)
    {
        var alice = await UserAsync();
        var made = new List<string>();
        for (int i = 0; i < 10; i++)
            made.Insert(0, (await ConversationAsync(alice, $"{i}")).Id);
        int reads = 0;
        var listed = await AllAsync(limit, async request =>
        {
            var page = await Store.ListConversationsAsync(alice.Id, request).Soon();
            // Somebody starts another one, and the last one shown goes: neither disturbs what follows.
            if (reads++ < 3)
            {
                await ConversationAsync(alice);
                await Store.DeleteConversationAsync(alice.Id, page.Items[^1].Id).Soon();
            }
            return page;
        });
        Assert.Equal(made, listed.Select(conversation => conversation.Id));
    }

    [Fact]
    public async Task An_id_is_a_cursor_too()
    {
        var alice = await UserAsync();
        var (a, b) = (await ConversationAsync(alice), await ConversationAsync(alice));
        Assert.Equal([a.Id], (await Store.ListConversationsAsync(alice.Id, new PageRequest(5, b.Id)).Soon()).Items.Select(c => c.Id));
    }
}
