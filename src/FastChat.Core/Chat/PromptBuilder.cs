using System.Buffers;
using System.Text;
using System.Text.Json;
using FastChat.Storage;
using Microsoft.Extensions.AI;

namespace FastChat.Chat;

/// <summary>What a model is asked with.</summary>
/// <param name="Client">The model.</param>
/// <param name="Model">Its name.</param>
/// <param name="Messages">Instructions, history, passages, question.</param>
/// <param name="SourcesJson">Where the passages came from; null for none.</param>
internal sealed record ModelPrompt(IChatClient Client, string Model, IReadOnlyList<ChatMessage> Messages, string? SourcesJson);

/// <summary>Puts together what a model needs to answer a turn, within the budgets of the options. Safe for concurrent use.</summary>
internal sealed class PromptBuilder(IChatStore store, IModelCatalog models, ChatEngineOptions options)
{
    private const int SourceTextChars = 200;

    public async Task<ModelPrompt> BuildAsync(ChatTurn turn, CancellationToken cancellationToken)
    {
        string user = turn.Conversation.UserId;
        // A chatbot deleted a moment ago: its conversations go on with the built-in one.
        var chatbot = await store.GetChatbotAsync(user, turn.Conversation.ChatbotId, cancellationToken)
            ?? await store.GetChatbotAsync(user, ChatbotRecord.AssistantId, cancellationToken)
            ?? throw ChatException.NotFound("Chatbot");
        string model = turn.Model ?? chatbot.Model ?? models.DefaultModel;
        if (!models.TryGet(model, out var client))
            throw new ChatException(ChatErrorCode.ModelFailed, "The model of this chatbot is not available.");

        var messages = new List<ChatMessage>();
        string instructions = Join(chatbot.SystemPrompt, turn.Conversation.SystemPrompt);
        if (instructions.Length > 0)
            messages.Add(new ChatMessage(ChatRole.System, instructions));
        messages.AddRange(await ReadHistoryAsync(turn, cancellationToken));
        var passages = await FindPassagesAsync(turn, chatbot.Id, cancellationToken);
        if (passages.Count > 0)
            messages.Add(ModelContext.CreatePassages([.. passages.Select(p => new ModelPassage(p.FileName, p.Text))]));
        messages.Add(new ChatMessage(ChatRole.User, turn.Question.Content));
        return new ModelPrompt(client, model, messages, passages.Count > 0 ? WriteSources(passages) : null);
    }

    /// <summary>An estimate, since only the model's own tokeniser knows: four bytes of UTF-8 are a token, and a message costs four more.</summary>
    public static long EstimateTokens(string text) => (Encoding.UTF8.GetByteCount(text) + 3) / 4 + 4;

    private static string Join(string chatbot, string? conversation) =>
        string.IsNullOrWhiteSpace(conversation) ? chatbot : chatbot.Length == 0 ? conversation : $"{chatbot}\n\n{conversation}";

    private async Task<IEnumerable<ChatMessage>> ReadHistoryAsync(ChatTurn turn, CancellationToken cancellationToken)
    {
        if (options.MaxHistoryMessages == 0 || turn.Question.Seq == 1)
            return [];
        // Questions sent while this one waited come back as well; they and their answers are not history yet.
        var page = await store.ListMessagesAsync(turn.Conversation.UserId, turn.Conversation.Id,
            new PageRequest(options.MaxHistoryMessages + options.MaxQueuedTurns + 1), cancellationToken);
        var turns = page?.Items.Where(m => m.Content.Length > 0).GroupBy(m => m.TurnId ?? m.Id)
            .Where(t => t.First().Seq < turn.Question.Seq && t.Key != turn.Id).Reverse() ?? [];

        // Newest first while the budget lasts, and whole turns only: an answer without its question misleads a model.
        var chosen = new List<IEnumerable<MessageRecord>>();
        long left = options.HistoryTokens;
        int room = options.MaxHistoryMessages;
        foreach (var earlier in turns)
        {
            left -= earlier.Sum(m => EstimateTokens(m.Content));
            room -= earlier.Count();
            if (left < 0 || room < 0)
                break;
            if (earlier.First().Role != MessageRole.Assistant)
                chosen.Add(earlier);
        }
        chosen.Reverse();
        return chosen.SelectMany(t => t).Select(m => new ChatMessage(ToRole(m.Role), m.Content));
    }

    private static ChatRole ToRole(MessageRole role) => role switch
    {
        MessageRole.User => ChatRole.User,
        MessageRole.Assistant => ChatRole.Assistant,
        _ => ChatRole.System,
    };

    private async Task<List<PassageHit>> FindPassagesAsync(ChatTurn turn, string chatbotId, CancellationToken cancellationToken)
    {
        if (options.MaxPassages == 0 || options.MaxPassageChars == 0)
            return [];
        string user = turn.Conversation.UserId;
        var hits = await store.SearchPassagesAsync(new PassageQuery(user, turn.Question.Content)
        {
            ChatbotId = turn.Document is null ? chatbotId : null,
            DocumentId = turn.Document?.Id,
            Limit = options.MaxPassages,
        }, cancellationToken);

        var chosen = new List<PassageHit>();
        int left = options.MaxPassageChars;
        foreach (var hit in hits)
        {
            // A document asked for by name is wanted, however few of the question's words it holds.
            if ((hit.Coverage < options.MinPassageCoverage && turn.Document is null) || hit.Text.Length > left)
                continue;
            left -= hit.Text.Length;
            chosen.Add(hit);
        }
        if (chosen.Count == 0 && turn.Document is { } document
            && await store.GetDocumentTextAsync(user, document.Id, cancellationToken) is { Length: > 0 } text)
            chosen.Add(new PassageHit(document.Id, document.FileName, 0, Text.Cut(text, options.MaxPassageChars), 0, 0));
        return chosen;
    }

    private static string WriteSources(List<PassageHit> passages)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            foreach (var passage in passages)
            {
                json.WriteStartObject();
                json.WriteString("document_id"u8, passage.DocumentId);
                json.WriteString("file_name"u8, passage.FileName);
                json.WriteNumber("passage"u8, passage.Index);
                json.WriteString("text"u8, Text.Cut(passage.Text, SourceTextChars));
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
