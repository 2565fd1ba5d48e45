#if LITEDB
using FastChat.Storage;
using FastChat.Storage.Retrieval;
using LiteDB;

namespace FastChat.Server.Storage.LiteDb;

/// <summary><see cref="IChatStore"/> in LiteDB.</summary>
internal sealed class LiteDbStore : IChatStore
{
    private readonly LiteSession _session;
    private readonly FileStream _lock;
    private readonly StoreClock _clock;
    private readonly WriteQueue<LiteSession> _writes;
    private readonly SemaphoreSlim _readers;
    private readonly int _readerCount;
    private bool _disposed;

    /// <param name="session">The open database, owned from now on.</param>
    /// <param name="heldLock">The lock on its file, owned from now on.</param>
    /// <param name="options">How to behave.</param>
    /// <param name="time">Gives the times that are stored.</param>
    /// <param name="logger">Told of failures.</param>
    public LiteDbStore(LiteSession session, FileStream heldLock, LiteDbStoreOptions options, TimeProvider time, ILogger logger)
    {
        (_session, _lock) = (session, heldLock);
        _clock = new StoreClock(time);
        _readers = new SemaphoreSlim(_readerCount = options.Readers);
        _writes = new WriteQueue<LiteSession>(new Target(session, options.CheckpointEveryCommit), options.Writes, time, logger);
    }

    public string Name => "litedb";

    public async Task PingAsync(CancellationToken cancellationToken = default)
    {
        await ReadAsync(s => s.Chatbots.FindById(ChatbotRecord.AssistantId), cancellationToken);
        await WriteAsync(s => s.Database.UserVersion, 0, cancellationToken);
    }

    /// <summary>Finishes writes and reads, then closes the file. May be called again.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        await _writes.DisposeAsync();
        for (int i = 0; i < _readerCount; i++)
            await _readers.WaitAsync();
        _session.Database.Dispose();
        await _lock.DisposeAsync();
        _readers.Release(_readerCount); // whoever waited is told that the store is closed
    }

    public Task<UserRecord?> CreateUserAsync(string name, CancellationToken cancellationToken = default)
    {
        string clean = StoredText.Clean(name);
        return WriteAsync(s => LiteUsers.Create(s, clean, _clock.Next()), clean.Length, cancellationToken);
    }

    public async Task<UserRecord> EnsureUserAsync(string id, string name, CancellationToken cancellationToken = default)
    {
        string wanted = StoredText.RequireId(id), label = StoredText.Clean(name);
        return await GetUserAsync(wanted, cancellationToken)
            ?? await WriteAsync(s => LiteUsers.Ensure(s, wanted, label, _clock.Next()), label.Length, cancellationToken);
    }

    public Task<UserRecord?> GetUserAsync(string id, CancellationToken cancellationToken = default) =>
        ReadAsync(s => LiteUsers.Get(s, id), cancellationToken);

    public Task<UserRecord?> GetUserByNameAsync(string name, CancellationToken cancellationToken = default) =>
        ReadAsync(s => LiteUsers.GetByLogin(s, name), cancellationToken);

    public Task<Page<UserRecord>> ListUsersAsync(PageRequest page, CancellationToken cancellationToken = default) =>
        ReadAsync(s => LiteUsers.List(s, page), cancellationToken);

    public Task<ChatbotRecord?> CreateChatbotAsync(NewChatbot chatbot, CancellationToken cancellationToken = default) =>
        WriteAsync(s => LiteChatbots.Create(s, chatbot, _clock.Next()), chatbot.SystemPrompt.Length, cancellationToken);

    public Task<ChatbotRecord?> GetChatbotAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        ReadAsync(s => LiteChatbots.Get(s, userId, id), cancellationToken);

    public Task<Page<ChatbotRecord>> ListChatbotsAsync(string userId, PageRequest page, CancellationToken cancellationToken = default) =>
        ReadAsync(s => LiteChatbots.List(s, userId, page), cancellationToken);

    public Task<ChatbotRecord?> UpdateChatbotAsync(
        string userId, string id, ChatbotChanges changes, CancellationToken cancellationToken = default) =>
        WriteAsync(s => LiteChatbots.Update(s, userId, id, changes, _clock.Next()), changes.SystemPrompt?.Length ?? 0, cancellationToken);

    public Task<bool> DeleteChatbotAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        WriteAsync(s => LiteChatbots.Delete(s, userId, id), 0, cancellationToken);

    public Task<CreatedConversation?> CreateConversationAsync(
        NewConversation conversation, NewMessage? firstMessage = null, CancellationToken cancellationToken = default)
    {
        (NewMessage, string[])? first = firstMessage is null ? null : Prepare(firstMessage);
        return WriteAsync(s => LiteConversations.Create(s, conversation, first, _clock.Next()), Length(firstMessage), cancellationToken);
    }

    public Task<ConversationRecord?> GetConversationAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        ReadAsync(s => LiteConversations.Get(s, userId, id), cancellationToken);

    public Task<Page<ConversationRecord>> ListConversationsAsync(
        string userId, PageRequest page, string? chatbotId = null, CancellationToken cancellationToken = default) =>
        ReadAsync(s => LiteConversations.List(s, userId, page, chatbotId), cancellationToken);

    public Task<ConversationRecord?> UpdateConversationAsync(
        string userId, string id, ConversationChanges changes, CancellationToken cancellationToken = default) => WriteAsync(
            s => LiteConversations.Update(s, userId, id, changes, _clock.Next()), changes.SystemPrompt?.Length ?? 0, cancellationToken);

    public Task<bool> DeleteConversationAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        WriteAsync(s => LiteConversations.Delete(s, userId, id), 0, cancellationToken);

    public Task<Page<ConversationHit>> SearchConversationsAsync(
        string userId, string query, PageRequest page, CancellationToken cancellationToken = default) =>
        ReadAsync(s => LiteSearch.Conversations(s, userId, query, page), cancellationToken);

    public Task<AppendResult?> AppendMessageAsync(
        string userId, string conversationId, NewMessage message, CancellationToken cancellationToken = default)
    {
        var (clean, terms) = Prepare(message);
        return WriteAsync(
            s => LiteMessages.Append(s, userId, conversationId, clean, terms, _clock.Next()), Length(message), cancellationToken);
    }

    public Task<Page<MessageRecord>?> ListMessagesAsync(
        string userId, string conversationId, PageRequest page, CancellationToken cancellationToken = default) =>
        ReadAsync(s => LiteMessages.List(s, userId, conversationId, page), cancellationToken);

    public Task<MessageRecord?> GetMessageAsync(string userId, string messageId, CancellationToken cancellationToken = default) =>
        ReadAsync(s => LiteMessages.Get(s, userId, messageId), cancellationToken);

    public Task<IReadOnlyList<MessageRecord>> GetTurnAsync(
        string userId, string conversationId, string turnId, CancellationToken cancellationToken = default) =>
        ReadAsync(s => LiteMessages.Turn(s, userId, conversationId, turnId), cancellationToken);

    public Task<DocumentRecord?> AddDocumentAsync(NewDocument document, CancellationToken cancellationToken = default)
    {
        var terms = document.Passages
            .Select(passage => SearchTerms.ForPassageIndex(passage).Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToList();
        return WriteAsync(s => LiteDocuments.Add(s, document, terms, _clock.Next()), 3L * document.Text.Length, cancellationToken);
    }

    public Task<DocumentRecord?> GetDocumentAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        ReadAsync(s => LiteDocuments.Get(s, userId, id), cancellationToken);

    public Task<DocumentRecord?> GetDocumentByNameAsync(string userId, string fileName, CancellationToken cancellationToken = default) =>
        ReadAsync(s => LiteDocuments.GetByName(s, userId, fileName), cancellationToken);

    public Task<string?> GetDocumentTextAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        ReadAsync(s => LiteDocuments.Text(s, userId, id), cancellationToken);

    public Task<Page<DocumentRecord>?> ListDocumentsAsync(
        string userId, string chatbotId, PageRequest page, CancellationToken cancellationToken = default) =>
        ReadAsync(s => LiteDocuments.List(s, userId, chatbotId, page), cancellationToken);

    public Task<bool> DeleteDocumentAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        WriteAsync(s => LiteDocuments.Delete(s, userId, id), 0, cancellationToken);

    public Task<IReadOnlyList<PassageHit>> SearchPassagesAsync(PassageQuery query, CancellationToken cancellationToken = default) =>
        ReadAsync(s => LiteSearch.Passages(s, query), cancellationToken);

    private static (NewMessage Message, string[] Terms) Prepare(NewMessage message)
    {
        var clean = StoredText.Clean(message);
        return (clean, [.. SearchTerms.Of(clean.Content).Select(term => term.Text)]);
    }

    private static long Length(NewMessage? message) => message is null ? 0 : 2L * message.Content.Length;

    private Task<T> WriteAsync<T>(Func<LiteSession, T> body, long length, CancellationToken cancellationToken) =>
        _writes.RunAsync(body, length, cancellationToken);

    private Task<T> ReadAsync<T>(Func<LiteSession, T> body, CancellationToken cancellationToken) => Task.Run(async () =>
    {
        await _readers.WaitAsync(cancellationToken);
        try
        {
            return Volatile.Read(ref _disposed) ? throw new StoreException(StoreError.Closed, "The store is closed.") : body(_session);
        }
        catch (Exception e) when (e is LiteException or IOException)
        {
            throw Translate(e);
        }
        finally
        {
            _readers.Release();
        }
    }, cancellationToken);

    private static Exception Translate(Exception exception) => exception switch
    {
        LiteException { ErrorCode: LiteException.INDEX_DUPLICATE_KEY } e =>
            new StoreException(StoreError.InvalidRequest, "An id is in use already.", e),
        LiteException { ErrorCode: LiteException.INVALID_INDEX_KEY } e =>
            new StoreException(StoreError.InvalidRequest, "An id or name is too long.", e),
        LiteException e => new StoreException(StoreError.Unavailable, $"The database failed (LiteDB error {e.ErrorCode}).", e),
        IOException e => new StoreException(StoreError.Unavailable, "Reading or writing the database's file failed.", e),
        _ => exception,
    };

    private sealed class Target(LiteSession session, bool checkpoint) : IWriteTarget<LiteSession>
    {
        public LiteSession Begin()
        {
            session.Database.BeginTrans();
            return session;
        }

        public void Commit()
        {
            session.Database.Commit();
            if (checkpoint)
                session.Database.Checkpoint();
        }

        public void RollBack()
        {
            try
            {
                session.Database.Rollback(); // a failed statement has done so already, and then this does nothing
            }
            catch (Exception e) when (e is LiteException or IOException)
            {
                // After an I/O error LiteDB has closed itself; what was not committed is gone.
            }
        }

        public Exception Translate(Exception exception) => LiteDbStore.Translate(exception);
    }
}
#endif
