using FastChat.Storage;

namespace FastChat.Server.Tests.Storage.Contract;

public abstract class ChatbotContract<TStore> : StoreContract<TStore>
    where TStore : StoreUnderTest, new()
{
    [Fact]
    public async Task The_assistant_is_there_from_the_first_start_for_everybody()
    {
        var alice = await UserAsync();
        var assistant = await Store.GetChatbotAsync(alice.Id, ChatbotRecord.AssistantId).Soon();
        Assert.Equal(("Assistant", null, ChatbotVisibility.Public), (assistant!.Name, assistant.OwnerId, assistant.Visibility));
        Assert.Equal([assistant], (await Store.ListChatbotsAsync(alice.Id, PageRequest.First).Soon()).Items);
    }

    [Fact]
    public async Task Nobody_changes_or_deletes_the_assistant()
    {
        var alice = await UserAsync();
        Assert.Null(await Store.UpdateChatbotAsync(alice.Id, ChatbotRecord.AssistantId, new ChatbotChanges { Name = "Mine" }).Soon());
        Assert.False(await Store.DeleteChatbotAsync(alice.Id, ChatbotRecord.AssistantId).Soon());
    }

    [Fact]
    public async Task A_chatbot_keeps_what_it_was_made_with()
    {
        var alice = await UserAsync();
        var bot = await Store.CreateChatbotAsync(new NewChatbot(alice.Id, "Botty") { Model = "m1", SystemPrompt = "Be brief." }).Soon();
        Assert.Equal(("Botty", "m1", "Be brief.", alice.Id, ChatbotVisibility.Private),
            (bot!.Name, bot.Model, bot.SystemPrompt, bot.OwnerId, bot.Visibility));
        Assert.Equal(bot, await Store.GetChatbotAsync(alice.Id, bot.Id).Soon());
        Assert.Null(await Store.CreateChatbotAsync(new NewChatbot("nobody", "Ghost")).Soon());
    }

    [Fact]
    public async Task A_change_touches_only_what_it_names()
    {
        var alice = await UserAsync();
        var bot = await Store.CreateChatbotAsync(new NewChatbot(alice.Id, "Botty") { Model = "m1", SystemPrompt = "Be brief." }).Soon();
        Time.Advance(TimeSpan.FromMinutes(1));
        var renamed = await Store.UpdateChatbotAsync(alice.Id, bot!.Id, new ChatbotChanges { Name = "Robo" }).Soon();
        Assert.Equal(bot with { Name = "Robo", UpdatedAt = Time.GetUtcNow() }, renamed);
        var changes = new ChatbotChanges { Model = "", SystemPrompt = "", Visibility = ChatbotVisibility.Public };
        var changed = await Store.UpdateChatbotAsync(alice.Id, bot.Id, changes).Soon();
        Assert.Equal((null, "", ChatbotVisibility.Public), (changed!.Model, changed.SystemPrompt, changed.Visibility));
        Assert.Equal(changed, await Store.GetChatbotAsync(alice.Id, bot.Id).Soon());
    }

    [Fact]
    public async Task A_private_chatbot_is_not_there_for_others()
    {
        var (alice, bob) = (await UserAsync(), await UserAsync("bob"));
        var bot = await Store.CreateChatbotAsync(new NewChatbot(alice.Id, "Botty")).Soon();
        Assert.Null(await Store.GetChatbotAsync(bob.Id, bot!.Id).Soon());
        Assert.Single((await Store.ListChatbotsAsync(bob.Id, PageRequest.All).Soon()).Items);
        Assert.Null(await Store.UpdateChatbotAsync(bob.Id, bot.Id, new ChatbotChanges { Name = "Mine" }).Soon());
        Assert.False(await Store.DeleteChatbotAsync(bob.Id, bot.Id).Soon());
        Assert.Null(await Store.CreateConversationAsync(new NewConversation(bob.Id, bot.Id)).Soon());
        Assert.Null(await Store.ListDocumentsAsync(bob.Id, bot.Id, PageRequest.First).Soon());
        await Assert.ThrowsAsync<StoreException>(() => Store.ListChatbotsAsync(bob.Id, new PageRequest(5, bot.Id)).Soon());
        Assert.Equal(bot, await Store.GetChatbotAsync(alice.Id, bot.Id).Soon());
    }

    [Fact]
    public async Task A_public_chatbot_is_used_by_all_and_changed_by_its_owner()
    {
        var (alice, bob) = (await UserAsync(), await UserAsync("bob"));
        var bot = await Store.CreateChatbotAsync(new NewChatbot(alice.Id, "Botty") { Visibility = ChatbotVisibility.Public }).Soon();
        Assert.Equal(bot, await Store.GetChatbotAsync(bob.Id, bot!.Id).Soon());
        Assert.NotNull(await Store.CreateConversationAsync(new NewConversation(bob.Id, bot.Id)).Soon());
        Assert.Null(await Store.UpdateChatbotAsync(bob.Id, bot.Id, new ChatbotChanges { Name = "Mine" }).Soon());
        Assert.False(await Store.DeleteChatbotAsync(bob.Id, bot.Id).Soon());
    }

    [Fact]
    public async Task Deleting_a_chatbot_takes_its_documents_and_leaves_conversations_to_the_assistant()
    {
        var (alice, bob) = (await UserAsync(), await UserAsync("bob"));
        var bot = await Store.CreateChatbotAsync(new NewChatbot(alice.Id, "Botty") { Visibility = ChatbotVisibility.Public }).Soon();
        var conversation = (await Store.CreateConversationAsync(new NewConversation(bob.Id, bot!.Id)).Soon())!.Conversation;
        var document = await Store.AddDocumentAsync(new NewDocument(bob.Id, bot.Id, "a.txt", "badger", ["badger"])).Soon();
        Assert.True(await Store.DeleteChatbotAsync(alice.Id, bot.Id).Soon());
        Assert.Null(await Store.GetChatbotAsync(alice.Id, bot.Id).Soon());
        Assert.False(await Store.DeleteChatbotAsync(alice.Id, bot.Id).Soon());
        var kept = await Store.GetConversationAsync(bob.Id, conversation.Id).Soon();
        Assert.Equal(conversation with { ChatbotId = ChatbotRecord.AssistantId }, kept);
        Assert.Null(await Store.GetDocumentAsync(bob.Id, document!.Id).Soon());
        Assert.Empty(await Store.SearchPassagesAsync(new PassageQuery(bob.Id, "badger")).Soon());
    }

    [Fact]
    public async Task Chatbots_are_listed_newest_first_with_the_assistant_last()
    {
        var alice = await UserAsync();
        var made = new List<string>();
        for (int i = 0; i < 5; i++)
            made.Insert(0, (await Store.CreateChatbotAsync(new NewChatbot(alice.Id, $"Bot {i}")).Soon())!.Id);
        var listed = await AllAsync(2, page => Store.ListChatbotsAsync(alice.Id, page));
        Assert.Equal([.. made, ChatbotRecord.AssistantId], listed.Select(bot => bot.Id));
    }
}
