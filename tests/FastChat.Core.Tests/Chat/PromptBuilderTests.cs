using FastChat.Chat;
using FastChat.Storage;
using FastChat.TestKit;
using Microsoft.Extensions.AI;

namespace FastChat.Core.Tests.Chat;

public sealed class PromptBuilderTests
{
    private static async Task<IReadOnlyList<ChatMessage>> PromptAsync(ChatHarness chat, TurnRequest request)
    {
        var (turn, _) = await chat.Engine.SubmitAsync(request).Bounded();
        var model = await chat.Model.NextAsync();
        model.Say("ok").Finish();
        await turn.Answer.Completion.Bounded();
        return model.Prompt;
    }

    [Fact]
    public async Task Instructions_come_first_then_history_then_passages_then_the_question()
    {
        await using var chat = new ChatHarness();
        var bot = await chat.Engine.Directory.CreateChatbotAsync(new NewChatbot(chat.Alice.Id, "Guide") { SystemPrompt = "You guide." });
        await chat.Engine.Directory.AddDocumentAsync(new NewDocument(chat.Alice.Id, bot.Id, "harbour.md", "The harbour closes at nine.", []));
        var (turn, _) = await chat.Engine.SubmitAsync(new TurnRequest(chat.Alice.Id, "hello") { ChatbotId = bot.Id, SystemPrompt = "In French." });
        (await chat.Model.NextAsync()).Say("bonjour").Finish();
        await turn.Answer.Completion.Bounded();
        var prompt = await PromptAsync(chat, new TurnRequest(chat.Alice.Id, "harbour closes when") { ConversationId = turn.Conversation.Id });
        Assert.Equal(["system", "user", "assistant", "system", "user"], prompt.Select(m => m.Role.Value));
        Assert.Equal("You guide.\n\nIn French.", prompt[0].Text);
        Assert.True(ModelContext.TryGetPassages(prompt[3], out var passages));
        Assert.Equal("The harbour closes at nine.", Assert.Single(passages).Text);
        Assert.Equal("harbour closes when", prompt[4].Text);
    }

    [Fact]
    public async Task The_budget_keeps_the_newest_whole_turns()
    {
        // Each of these messages counts 100 tokens: 384 bytes are 96, and 4 more for being one.
        await using var chat = new ChatHarness(o => o.HistoryTokens = 450);
        string Pad(string text) => text.PadRight(384, '.');
        var turn = await chat.AskAsync(Pad("q1"), Pad("a1"));
        await chat.AskAsync(Pad("q2"), Pad("a2"), turn.Conversation.Id);
        await chat.AskAsync(Pad("q3"), Pad("a3"), turn.Conversation.Id);
        var prompt = await PromptAsync(chat, new TurnRequest(chat.Alice.Id, "now") { ConversationId = turn.Conversation.Id });
        Assert.Equal(["q2", "a2", "q3", "a3", "now"], prompt.Select(m => m.Text.TrimEnd('.')));
    }

    [Fact]
    public async Task The_number_of_messages_is_bounded_too()
    {
        await using var chat = new ChatHarness(o => o.MaxHistoryMessages = 3);
        var turn = await chat.AskAsync("q1", "a1");
        await chat.AskAsync("q2", "a2", turn.Conversation.Id);
        var prompt = await PromptAsync(chat, new TurnRequest(chat.Alice.Id, "now") { ConversationId = turn.Conversation.Id });
        Assert.Equal(["q2", "a2", "now"], prompt.Select(m => m.Text));
    }

    [Fact]
    public async Task Without_a_budget_there_is_no_history()
    {
        await using var chat = new ChatHarness(o => o.MaxHistoryMessages = 0);
        var turn = await chat.AskAsync("q1", "a1");
        Assert.Single(await PromptAsync(chat, new TurnRequest(chat.Alice.Id, "now") { ConversationId = turn.Conversation.Id }));
    }

    [Fact]
    public async Task Answers_cut_short_are_history_and_empty_ones_are_not()
    {
        await using var chat = new ChatHarness();
        var (turn, _) = await chat.SubmitAsync("q1");
        var model = await chat.Model.NextAsync();
        model.Say("half");
        await ChatHarness.UntilAsync(() => turn.Answer.LastSeq == 1);
        chat.Engine.Stop(chat.Alice.Id, turn.Conversation.Id);
        await turn.Answer.Completion.Bounded();
        var (second, _) = await chat.SubmitAsync("q2", turn.Conversation.Id);
        (await chat.Model.NextAsync()).Fail(new ModelException(ModelFailure.Unavailable, "away"));
        await second.Answer.Completion.Bounded();
        var prompt = await PromptAsync(chat, new TurnRequest(chat.Alice.Id, "q3") { ConversationId = turn.Conversation.Id });
        Assert.Equal(["q1", "half", "q2", "q3"], prompt.Select(m => m.Text));
    }

    [Fact]
    public async Task Questions_that_wait_are_no_history_of_the_one_before()
    {
        await using var chat = new ChatHarness();
        var (first, _) = await chat.SubmitAsync("q1");
        var model1 = await chat.Model.NextAsync();
        await chat.SubmitAsync("q2", first.Conversation.Id);
        await chat.SubmitAsync("q3", first.Conversation.Id);
        model1.Say("a1").Finish();
        var model2 = await chat.Model.NextAsync();
        Assert.Equal(["q1", "a1", "q2"], model2.Prompt.Select(m => m.Text));
        model2.Say("a2").Finish();
        Assert.Equal(["q1", "a1", "q2", "a2", "q3"], (await chat.Model.NextAsync()).Prompt.Select(m => m.Text));
    }

    [Fact]
    public async Task Passages_that_hardly_match_are_left_out_and_their_sum_is_bounded()
    {
        await using var chat = new ChatHarness(o => o.MaxPassageChars = 60);
        await chat.Engine.Directory.AddDocumentAsync(new NewDocument(chat.Alice.Id, ChatbotRecord.AssistantId, "a.txt", "irrelevant",
            ["alpha beta gamma delta one", "alpha beta gamma delta two", "alpha beta gamma delta three", "alpha alone"]));
        var prompt = await PromptAsync(chat, new TurnRequest(chat.Alice.Id, "alpha beta gamma delta epsilon"));
        Assert.True(ModelContext.TryGetPassages(prompt[0], out var passages));
        Assert.Equal(2, passages.Count);
        prompt = await PromptAsync(chat, new TurnRequest(chat.Alice.Id, "what on earth is alpha good for then"));
        Assert.Single(prompt);
    }

    [Fact]
    public async Task A_document_asked_for_by_name_is_given_even_when_no_word_matches()
    {
        await using var chat = new ChatHarness(o => o.MaxPassageChars = 20);
        await chat.Engine.Directory.AddDocumentAsync(
            new NewDocument(chat.Alice.Id, ChatbotRecord.AssistantId, "plan.txt", "Launch is on Friday, weather permitting.", []));
        var prompt = await PromptAsync(chat, new TurnRequest(chat.Alice.Id, "Summarise") { FileName = "plan.txt" });
        Assert.True(ModelContext.TryGetPassages(prompt[0], out var passages));
        Assert.Equal(new ModelPassage("plan.txt", "Launch is on Friday,"), Assert.Single(passages));
    }

    [Fact]
    public async Task Nobody_is_given_anothers_document()
    {
        await using var chat = new ChatHarness();
        await chat.Engine.Directory.AddDocumentAsync(
            new NewDocument(chat.Bob.Id, ChatbotRecord.AssistantId, "secret.txt", "The password is swordfish", []));
        Assert.Single(await PromptAsync(chat, new TurnRequest(chat.Alice.Id, "The password is")));
        var refused = await Assert.ThrowsAsync<ChatException>(
            () => PromptAsync(chat, new TurnRequest(chat.Alice.Id, "The password is") { FileName = "secret.txt" }));
        Assert.Equal(ChatErrorCode.NotFound, refused.Error.Code);
    }

    [Fact]
    public async Task The_model_is_the_requests_then_the_chatbots_then_the_default()
    {
        await using var chat = new ChatHarness();
        chat.Model.Reply = _ => ["by the first"];
        chat.Second.Reply = _ => ["by the second"];
        var bot = await chat.Engine.Directory.CreateChatbotAsync(new NewChatbot(chat.Alice.Id, "Two") { Model = "second" });
        var (_, result) = await chat.Engine.AskAsync(new TurnRequest(chat.Alice.Id, "hi"));
        Assert.Equal("by the first", result.Text);
        (var turn, result) = await chat.Engine.AskAsync(new TurnRequest(chat.Alice.Id, "hi") { ChatbotId = bot.Id });
        Assert.Equal("by the second", result.Text);
        (_, result) = await chat.Engine.AskAsync(new TurnRequest(chat.Alice.Id, "hi") { ConversationId = turn.Conversation.Id, Model = "FIRST" });
        Assert.Equal("by the first", result.Text);
        await chat.Engine.Directory.DeleteChatbotAsync(chat.Alice.Id, bot.Id);
        (_, result) = await chat.Engine.AskAsync(new TurnRequest(chat.Alice.Id, "hi") { ConversationId = turn.Conversation.Id });
        Assert.Equal("by the first", result.Text);
    }

    [Fact]
    public async Task A_model_that_is_no_longer_there_is_an_error()
    {
        await using var chat = new ChatHarness();
        var bot = await chat.Store.CreateChatbotAsync(new NewChatbot(chat.Alice.Id, "Old") { Model = "retired" });
        var refused = await Assert.ThrowsAsync<ChatException>(
            () => chat.Engine.AskAsync(new TurnRequest(chat.Alice.Id, "hi") { ChatbotId = bot!.Id }).Bounded());
        Assert.Equal(ChatErrorCode.ModelFailed, refused.Error.Code);
        Assert.Equal(MessageStatus.Failed, chat.Store.AllMessages[1].Status);
    }
}
