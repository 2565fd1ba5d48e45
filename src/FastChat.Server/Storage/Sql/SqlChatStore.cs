using FastChat.Storage;
using FastChat.Storage.Retrieval;

namespace FastChat.Server.Storage.Sql;

/// <summary>
/// <see cref="IChatStore"/> in SQL. What a database differs in is in its subclass: connections, transactions, search.
/// </summary>
internal abstract class SqlChatStore(SqlSearch search, TimeProvider time) : IChatStore
{
    private readonly StoreClock _clock = new(time);

    public abstract string Name { get; }

    public abstract Task PingAsync(CancellationToken cancellationToken = default);

    public abstract ValueTask DisposeAsync();

    /// <summary>Reads in one transaction, on a thread where blocking harms nobody.</summary>
    protected abstract Task<T> ReadAsync<T>(Func<SqlSession, T> body, CancellationToken cancellationToken);

    /// <summary>Writes. The task completes when it is durable. The body may run more than once.</summary>
    protected abstract Task<T> WriteAsync<T>(Func<SqlSession, T> body, long length, CancellationToken cancellationToken);

    public Task<UserRecord?> CreateUserAsync(string name, CancellationToken cancellationToken = default)
    {
        string clean = StoredText.Clean(name);
        return WriteAsync(s => UserRows.Create(s, clean, _clock.Next()), clean.Length, cancellationToken);
    }

    public async Task<UserRecord> EnsureUserAsync(string id, string name, CancellationToken cancellationToken = default)
    {
        // Asked with every connection and nearly always there: reading does not wait for the disk.
        string wanted = StoredText.RequireId(id), label = StoredText.Clean(name);
        return await GetUserAsync(wanted, cancellationToken)
            ?? await WriteAsync(s => UserRows.Ensure(s, wanted, label, _clock.Next()), label.Length, cancellationToken);
    }

    public Task<UserRecord?> GetUserAsync(string id, CancellationToken cancellationToken = default) =>
        ReadAsync(s => UserRows.Get(s, id), cancellationToken);

    public Task<UserRecord?> GetUserByNameAsync(string name, CancellationToken cancellationToken = default) =>
        ReadAsync(s => UserRows.GetByLogin(s, name), cancellationToken);

    public Task<Page<UserRecord>> ListUsersAsync(PageRequest page, CancellationToken cancellationToken = default) =>
        ReadAsync(s => UserRows.List(s, page), cancellationToken);

    public Task<ChatbotRecord?> CreateChatbotAsync(NewChatbot chatbot, CancellationToken cancellationToken = default) =>
        WriteAsync(s => ChatbotRows.Create(s, chatbot, _clock.Next()), chatbot.SystemPrompt.Length, cancellationToken);

    public Task<ChatbotRecord?> GetChatbotAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        ReadAsync(s => ChatbotRows.Get(s, userId, id), cancellationToken);

    public Task<Page<ChatbotRecord>> ListChatbotsAsync(string userId, PageRequest page, CancellationToken cancellationToken = default) =>
        ReadAsync(s => ChatbotRows.List(s, userId, page), cancellationToken);

    public Task<ChatbotRecord?> UpdateChatbotAsync(
        string userId, string id, ChatbotChanges changes, CancellationToken cancellationToken = default) =>
        WriteAsync(s => ChatbotRows.Update(s, userId, id, changes, _clock.Next()), changes.SystemPrompt?.Length ?? 0, cancellationToken);

    public Task<bool> DeleteChatbotAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        WriteAsync(s => ChatbotRows.Delete(s, userId, id), 0, cancellationToken);

    public Task<CreatedConversation?> CreateConversationAsync(
        NewConversation conversation, NewMessage? firstMessage = null, CancellationToken cancellationToken = default)
    {
        (NewMessage, string)? first = firstMessage is null ? null : Prepare(firstMessage);
        return WriteAsync(
            s => ConversationRows.Create(s, search, conversation, first, _clock.Next()), Length(firstMessage), cancellationToken);
    }

    public Task<ConversationRecord?> GetConversationAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        ReadAsync(s => ConversationRows.Get(s, userId, id), cancellationToken);

    public Task<Page<ConversationRecord>> ListConversationsAsync(
        string userId, PageRequest page, string? chatbotId = null, CancellationToken cancellationToken = default) =>
        ReadAsync(s => ConversationRows.List(s, userId, page, chatbotId), cancellationToken);

    public Task<ConversationRecord?> UpdateConversationAsync(
        string userId, string id, ConversationChanges changes, CancellationToken cancellationToken = default) =>
        WriteAsync(s => ConversationRows.Update(s, search, userId, id, changes, _clock.Next()), changes.SystemPrompt?.Length ?? 0,
            cancellationToken);

    public Task<bool> DeleteConversationAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        WriteAsync(s => ConversationRows.Delete(s, userId, id), 0, cancellationToken);

    public Task<Page<ConversationHit>> SearchConversationsAsync(
        string userId, string query, PageRequest page, CancellationToken cancellationToken = default) =>
        ReadAsync(s => SearchRows.Conversations(s, search, userId, query, page), cancellationToken);

    public Task<AppendResult?> AppendMessageAsync(
        string userId, string conversationId, NewMessage message, CancellationToken cancellationToken = default)
    {
        var (clean, terms) = Prepare(message);
        return WriteAsync(
            s => MessageRows.Append(s, search, userId, conversationId, clean, terms, _clock.Next()), Length(message), cancellationToken);
    }

    public Task<Page<MessageRecord>?> ListMessagesAsync(
        string userId, string conversationId, PageRequest page, CancellationToken cancellationToken = default) =>
        ReadAsync(s => MessageRows.List(s, userId, conversationId, page), cancellationToken);

    public Task<MessageRecord?> GetMessageAsync(string userId, string messageId, CancellationToken cancellationToken = default) =>
        ReadAsync(s => MessageRows.Get(s, userId, messageId), cancellationToken);

    public async Task<IReadOnlyList<MessageRecord>> GetTurnAsync(
        string userId, string conversationId, string turnId, CancellationToken cancellationToken = default) =>
        await ReadAsync(s => MessageRows.Turn(s, userId, conversationId, turnId), cancellationToken);

    public Task<DocumentRecord?> AddDocumentAsync(NewDocument document, CancellationToken cancellationToken = default)
    {
        // Done here, not on the writer's thread, for which everybody waits.
        var terms = document.Passages.Select(SearchTerms.ForPassageIndex).ToList();
        return WriteAsync(
            s => DocumentRows.Add(s, search, document, terms, _clock.Next()), 3L * document.Text.Length, cancellationToken);
    }

    public Task<DocumentRecord?> GetDocumentAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        ReadAsync(s => DocumentRows.Get(s, userId, id), cancellationToken);

    public Task<DocumentRecord?> GetDocumentByNameAsync(string userId, string fileName, CancellationToken cancellationToken = default) =>
        ReadAsync(s => DocumentRows.GetByName(s, userId, fileName), cancellationToken);

    public Task<string?> GetDocumentTextAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        ReadAsync(s => DocumentRows.Text(s, userId, id), cancellationToken);

    public Task<Page<DocumentRecord>?> ListDocumentsAsync(
        string userId, string chatbotId, PageRequest page, CancellationToken cancellationToken = default) =>
        ReadAsync(s => DocumentRows.List(s, userId, chatbotId, page), cancellationToken);

    public Task<bool> DeleteDocumentAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        WriteAsync(s => DocumentRows.Delete(s, userId, id), 0, cancellationToken);

    public Task<IReadOnlyList<PassageHit>> SearchPassagesAsync(PassageQuery query, CancellationToken cancellationToken = default) =>
        ReadAsync(s => SearchRows.Passages(s, search, query), cancellationToken);

    private static (NewMessage Message, string Terms) Prepare(NewMessage message)
    {
        var clean = StoredText.Clean(message);
        return (clean, SearchTerms.ForIndex(clean.Content));
    }

    // The text and its words.
    private static long Length(NewMessage? message) => message is null ? 0 : 2L * message.Content.Length;
}
