using FastChat.Storage;
using FastChat.Storage.Retrieval;

namespace FastChat.Chat;

/// <summary>
/// What there is: users, chatbots, conversations, documents and models, checked and without what is somebody else's. Whatever is not
/// there, or not the user's, is a <see cref="ChatException"/> with <see cref="ChatErrorCode.NotFound"/>. Safe for concurrent use.
/// </summary>
public sealed class ChatDirectory
{
    /// <summary>The longest name and title, in characters (UTF-16).</summary>
    public const int MaxNameChars = 200;

    /// <summary>The longest search, in characters (UTF-16).</summary>
    public const int MaxQueryChars = 1000;

    private readonly ChatEngine _engine;
    private readonly ChatEngineOptions _options;
    private readonly IChatStore _store;

    internal ChatDirectory(ChatEngine engine, ChatEngineOptions options) => (_engine, _options, _store) = (engine, options, engine.Store);

    /// <summary>The models, in the order of their numbers.</summary>
    public IReadOnlyList<ModelInfo> Models => _engine.Models.Models;

    /// <summary>The model of chatbots that name none.</summary>
    public string DefaultModel => _engine.Models.DefaultModel;

    /// <summary>Makes a user. <see cref="ChatErrorCode.Conflict"/> when the name is taken.</summary>
    public async Task<UserRecord> CreateUserAsync(string name, CancellationToken cancellationToken = default) =>
        await _store.CreateUserAsync(CheckName(name, "name"), cancellationToken)
        ?? throw new ChatException(ChatErrorCode.Conflict, "A user of this name exists already.");

    /// <summary>Returns a user.</summary>
    public async Task<UserRecord> GetUserAsync(string id, CancellationToken cancellationToken = default) =>
        await _store.GetUserAsync(id, cancellationToken) ?? throw ChatException.NotFound("User");

    /// <summary>Makes a chatbot.</summary>
    public async Task<ChatbotRecord> CreateChatbotAsync(NewChatbot chatbot, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(chatbot);
        CheckModel(chatbot.Model);
        CheckPrompt(chatbot.SystemPrompt);
        return await _store.CreateChatbotAsync(chatbot with { Name = CheckName(chatbot.Name, "name") }, cancellationToken)
            ?? throw ChatException.NotFound("User");
    }

    /// <summary>Returns a chatbot that the user may use.</summary>
    public async Task<ChatbotRecord> GetChatbotAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        await _store.GetChatbotAsync(userId, id, cancellationToken) ?? throw ChatException.NotFound("Chatbot");

    /// <summary>Lists the chatbots that the user may use, newest first.</summary>
    public Task<Page<ChatbotRecord>> ListChatbotsAsync(string userId, PageRequest page, CancellationToken cancellationToken = default) =>
        _store.ListChatbotsAsync(userId, page, cancellationToken);

    /// <summary>Changes a chatbot of the user's.</summary>
    public async Task<ChatbotRecord> UpdateChatbotAsync(
        string userId, string id, ChatbotChanges changes, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(changes);
        CheckModel(changes.Model);
        CheckPrompt(changes.SystemPrompt);
        if (changes.Name is not null)
            changes = changes with { Name = CheckName(changes.Name, "name") };
        return await _store.UpdateChatbotAsync(userId, id, changes, cancellationToken) ?? throw ChatException.NotFound("Chatbot");
    }

    /// <summary>Deletes a chatbot of the user's, with its documents.</summary>
    public async Task DeleteChatbotAsync(string userId, string id, CancellationToken cancellationToken = default)
    {
        if (!await _store.DeleteChatbotAsync(userId, id, cancellationToken))
            throw ChatException.NotFound("Chatbot");
    }

    /// <summary>Stores a document for a chatbot that the user may use. One that comes without passages is split here.</summary>
    public async Task<DocumentRecord> AddDocumentAsync(NewDocument document, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(document);
        var passages = document.Passages.Count > 0 ? document.Passages : PassageSplitter.Split(document.Text);
        document = document with { FileName = CheckName(document.FileName, "file name"), Passages = passages };
        return await _store.AddDocumentAsync(document, cancellationToken) ?? throw ChatException.NotFound("Chatbot");
    }

    /// <summary>Lists the user's documents of a chatbot, newest first.</summary>
    public async Task<Page<DocumentRecord>> ListDocumentsAsync(
        string userId, string chatbotId, PageRequest page, CancellationToken cancellationToken = default) =>
        await _store.ListDocumentsAsync(userId, chatbotId, page, cancellationToken) ?? throw ChatException.NotFound("Chatbot");

    /// <summary>Deletes a document of the user's from a chatbot.</summary>
    public async Task DeleteDocumentAsync(string userId, string chatbotId, string id, CancellationToken cancellationToken = default)
    {
        var document = await _store.GetDocumentAsync(userId, id, cancellationToken);
        if (document?.ChatbotId != chatbotId || !await _store.DeleteDocumentAsync(userId, id, cancellationToken))
            throw ChatException.NotFound("Document");
    }

    /// <summary>Starts a conversation without a message.</summary>
    public async Task<ConversationRecord> CreateConversationAsync(
        string userId, string? chatbotId = null, CancellationToken cancellationToken = default) =>
        (await _store.CreateConversationAsync(new NewConversation(userId, chatbotId ?? ChatbotRecord.AssistantId), null, cancellationToken))
            ?.Conversation ?? throw ChatException.NotFound("Chatbot");

    /// <summary>Returns a conversation of the user's.</summary>
    public async Task<ConversationRecord> GetConversationAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        await _store.GetConversationAsync(userId, id, cancellationToken) ?? throw ChatException.NotFound("Conversation");

    /// <summary>Lists the user's conversations, last changed first.</summary>
    public Task<Page<ConversationRecord>> ListConversationsAsync(
        string userId, PageRequest page, string? chatbotId = null, CancellationToken cancellationToken = default) =>
        _store.ListConversationsAsync(userId, page, chatbotId, cancellationToken);

    /// <summary>Reads messages of a conversation of the user's: the newest, oldest of them first.</summary>
    public async Task<Page<MessageRecord>> ListMessagesAsync(
        string userId, string conversationId, PageRequest page, CancellationToken cancellationToken = default) =>
        await _store.ListMessagesAsync(userId, conversationId, page, cancellationToken) ?? throw ChatException.NotFound("Conversation");

    /// <summary>Searches the user's conversations.</summary>
    public Task<Page<ConversationHit>> SearchAsync(string userId, string query, PageRequest page, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        if (query.Length > MaxQueryChars)
            throw new ChatException(ChatErrorCode.TooLarge, $"A search has at most {MaxQueryChars} characters.");
        return _store.SearchConversationsAsync(userId, query, page, cancellationToken);
    }

    /// <summary>Gives a conversation of the user's a title.</summary>
    public async Task<ConversationRecord> RenameAsync(
        string userId, string id, string title, CancellationToken cancellationToken = default) =>
        await _store.UpdateConversationAsync(userId, id, new ConversationChanges { Title = CheckName(title, "title") }, cancellationToken)
        ?? throw ChatException.NotFound("Conversation");

    /// <summary>Deletes a conversation of the user's: its answers stop, its session ends.</summary>
    public Task DeleteConversationAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        DeleteConversationAsync(userId, id, null, cancellationToken);

    /// <summary>The same; <paramref name="reply"/> is sent before the session's sockets are closed, for the one that asks may be of them.</summary>
    internal async Task DeleteConversationAsync(string userId, string id, Func<ValueTask>? reply, CancellationToken cancellationToken)
    {
        if (!await _store.DeleteConversationAsync(userId, id, cancellationToken))
            throw ChatException.NotFound("Conversation");
        if (reply is not null)
            await reply();
        _engine.Delete(userId, id);
    }

    /// <summary>Reads a whole conversation of the user's, to be written by <see cref="ConversationExport"/>.</summary>
    public async Task<ConversationExport> ExportAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        new(await GetConversationAsync(userId, id, cancellationToken),
            (await ListMessagesAsync(userId, id, PageRequest.All, cancellationToken)).Items);

    private static string CheckName(string? name, string what)
    {
        name = name?.Trim();
        if (string.IsNullOrEmpty(name) || name.Length > MaxNameChars || name.Any(char.IsControl))
            throw new ChatException(ChatErrorCode.BadRequest, $"A {what} has 1 to {MaxNameChars} characters on one line.");
        return name;
    }

    private void CheckModel(string? model)
    {
        if (!string.IsNullOrEmpty(model) && !_engine.Models.TryGet(model, out _))
            throw new ChatException(ChatErrorCode.BadRequest, "There is no model of this name.");
    }

    private void CheckPrompt(string? prompt)
    {
        if (prompt?.Length > _options.MaxSystemPromptChars)
            throw new ChatException(ChatErrorCode.TooLarge, $"A system prompt has at most {_options.MaxSystemPromptChars} characters.");
    }
}
