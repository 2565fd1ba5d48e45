using System.Buffers;
using System.Text.Json;
using FastChat.Chat;
using FastChat.Storage;

namespace FastChat.Core.Tests.Chat;

public sealed class ChatDirectoryTests
{
    private static async Task IsAsync(ChatErrorCode code, Func<Task> action) =>
        Assert.Equal(code, (await Assert.ThrowsAsync<ChatException>(action)).Error.Code);

    [Fact]
    public async Task Names_titles_prompts_and_models_are_checked()
    {
        await using var chat = new ChatHarness();
        var directory = chat.Engine.Directory;
        string alice = chat.Alice.Id;
        var bot = await directory.CreateChatbotAsync(new NewChatbot(alice, "  Bot ") { Model = "second" });
        Assert.Equal(("Bot", "second"), (bot.Name, bot.Model));
        foreach (string name in (string[])["", "  ", "two\nlines", new string('x', 201)])
        {
            await IsAsync(ChatErrorCode.BadRequest, () => directory.CreateUserAsync(name));
            await IsAsync(ChatErrorCode.BadRequest, () => directory.CreateChatbotAsync(new NewChatbot(alice, name)));
            await IsAsync(ChatErrorCode.BadRequest, () => directory.UpdateChatbotAsync(alice, bot.Id, new ChatbotChanges { Name = name }));
            await IsAsync(ChatErrorCode.BadRequest, () => directory.RenameAsync(alice, "any", name));
            await IsAsync(ChatErrorCode.BadRequest, () => directory.AddDocumentAsync(new NewDocument(alice, bot.Id, name, "text", [])));
        }
        await IsAsync(ChatErrorCode.BadRequest, () => directory.CreateChatbotAsync(new NewChatbot(alice, "x") { Model = "none" }));
        await IsAsync(ChatErrorCode.BadRequest, () => directory.UpdateChatbotAsync(alice, bot.Id, new ChatbotChanges { Model = "none" }));
        await IsAsync(ChatErrorCode.TooLarge, () => directory.UpdateChatbotAsync(alice, bot.Id, new ChatbotChanges { SystemPrompt = new string('x', 20_000) }));
        await IsAsync(ChatErrorCode.TooLarge, () => directory.SearchAsync(alice, new string('x', 1001), PageRequest.First));
        bot = await directory.UpdateChatbotAsync(alice, bot.Id, new ChatbotChanges { Name = " New ", Model = "" });
        Assert.Equal(("New", null), (bot.Name, bot.Model));
        await IsAsync(ChatErrorCode.Conflict, async () =>
        {
            await directory.CreateUserAsync("carol");
            await directory.CreateUserAsync(" carol ");
        });
    }

    [Fact]
    public async Task What_is_another_users_is_not_there()
    {
        await using var chat = new ChatHarness();
        var directory = chat.Engine.Directory;
        string alice = chat.Alice.Id;
        string bob = chat.Bob.Id;
        var bot = await directory.CreateChatbotAsync(new NewChatbot(alice, "Bot"));
        var document = await directory.AddDocumentAsync(new NewDocument(alice, bot.Id, "a.txt", "text", []));
        var turn = await chat.AskAsync("question", "answer");
        string conversation = turn.Conversation.Id;
        Func<Task>[] attempts =
        [
            () => directory.GetChatbotAsync(bob, bot.Id),
            () => directory.UpdateChatbotAsync(bob, bot.Id, new ChatbotChanges { Name = "Mine" }),
            () => directory.DeleteChatbotAsync(bob, bot.Id),
            () => directory.AddDocumentAsync(new NewDocument(bob, bot.Id, "b.txt", "text", [])),
            () => directory.ListDocumentsAsync(bob, bot.Id, PageRequest.First),
            () => directory.DeleteDocumentAsync(bob, bot.Id, document.Id),
            () => directory.DeleteDocumentAsync(alice, "another bot", document.Id),
            () => directory.CreateConversationAsync(bob, bot.Id),
            () => directory.GetConversationAsync(bob, conversation),
            () => directory.ListMessagesAsync(bob, conversation, PageRequest.First),
            () => directory.RenameAsync(bob, conversation, "Mine"),
            () => directory.DeleteConversationAsync(bob, conversation),
            () => directory.ExportAsync(bob, conversation),
            () => directory.GetUserAsync("nobody"),
        ];
        foreach (var attempt in attempts)
            await IsAsync(ChatErrorCode.NotFound, attempt);
        Assert.Empty((await directory.SearchAsync(bob, "question", PageRequest.First)).Items);
        Assert.Single((await directory.SearchAsync(alice, "question", PageRequest.First)).Items);
        Assert.Single((await directory.ListDocumentsAsync(alice, bot.Id, PageRequest.First)).Items);
        await directory.DeleteDocumentAsync(alice, bot.Id, document.Id);
    }

    [Fact]
    public async Task A_document_without_passages_is_split()
    {
        await using var chat = new ChatHarness();
        string text = string.Join("\n\n", Enumerable.Range(0, 40).Select(i => $"Paragraph {i}. " + new string('x', 200)));
        var document = await chat.Engine.Directory.AddDocumentAsync(
            new NewDocument(chat.Alice.Id, ChatbotRecord.AssistantId, "long.txt", text, []));
        Assert.True(document.PassageCount > 3);
    }

    [Fact]
    public async Task An_export_has_everything_in_json_and_in_markdown()
    {
        await using var chat = new ChatHarness();
        var turn = await chat.AskAsync("Is *this* a [link](x)?", "No.");
        var export = await chat.Engine.Directory.ExportAsync(chat.Alice.Id, turn.Conversation.Id);
        var buffer = new ArrayBufferWriter<byte>();
        export.WriteJson(buffer);
        var json = JsonDocument.Parse(buffer.WrittenMemory).RootElement;
        Assert.Equal("id title created_at updated_at messages", json.Fields());
        var messages = json.GetProperty("messages").EnumerateArray().ToArray();
        Assert.Equal("id role content created_at", messages[0].Fields());
        Assert.Equal("id role content created_at finish_reason model", messages[1].Fields());
        Assert.Equal(("assistant", "No.", "stop", "first"),
            (messages[1].Text("role"), messages[1].Text("content"), messages[1].Text("finish_reason"), messages[1].Text("model")));
        Assert.Equal("""
            # Is \*this\* a \[link\](x)?

            ## You · 2024-01-15 10:30:00 UTC

            Is *this* a [link](x)?

            ## Assistant · 2024-01-15 10:30:00 UTC

            No.

            """, export.ToMarkdown());
    }

    [Fact]
    public async Task Models_are_listed_in_order()
    {
        await using var chat = new ChatHarness();
        Assert.Equal(["first", "second"], chat.Engine.Directory.Models.Select(m => m.Name));
        Assert.Equal("first", chat.Engine.Directory.DefaultModel);
    }
}
