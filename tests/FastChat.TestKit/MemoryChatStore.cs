using FastChat.Storage;

namespace FastChat.TestKit;

/// <summary>
/// A chat store in memory, as the contract of <see cref="IChatStore"/> says, for tests of what stands above it. Writes can be held back
/// (<see cref="HoldWrites"/>) and made to fail (<see cref="WriteFailure"/>, <see cref="ReadFailure"/>). Search is by whole words.
/// </summary>
public sealed class MemoryChatStore(TimeProvider time) : IChatStore
{
    private readonly Lock _gate = new();
    private readonly List<UserRecord> _users = [];
    private readonly List<ChatbotRecord> _chatbots =
    [
        new() { Id = ChatbotRecord.AssistantId, Name = ChatbotRecord.AssistantName, Visibility = ChatbotVisibility.Public,
            CreatedAt = time.GetUtcNow(), UpdatedAt = time.GetUtcNow() },
    ];
    private readonly List<ConversationRecord> _conversations = [];
    private readonly List<MessageRecord> _messages = [];
    private readonly List<(DocumentRecord Document, NewDocument Content)> _documents = [];
    private volatile TaskCompletionSource? _hold;
    private int _held;

    public string Name => "memory";

    /// <summary>Thrown by every append while set.</summary>
    public Func<Exception>? WriteFailure { get; set; }

    /// <summary>Thrown by every read of messages while set.</summary>
    public Func<Exception>? ReadFailure { get; set; }

    /// <summary>Appends that wait in <see cref="HoldWrites"/> now.</summary>
    public int HeldWrites => Volatile.Read(ref _held);

    public IReadOnlyList<MessageRecord> AllMessages { get { lock (_gate) return [.. _messages]; } }

    /// <summary>From now on no append completes, until the returned object is disposed of.</summary>
    public IDisposable HoldWrites()
    {
        _hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return new Releaser(this);
    }

    public Task PingAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task<UserRecord?> CreateUserAsync(string name, CancellationToken cancellationToken = default) => Locked(() =>
        _users.Exists(u => u.Name == name) ? null : Add(_users, new UserRecord(NewId(), name, time.GetUtcNow())));

    public Task<UserRecord> EnsureUserAsync(string id, string name, CancellationToken cancellationToken = default) => Locked(() =>
        _users.Find(u => u.Id == id) ?? Add(_users, new UserRecord(id, name, time.GetUtcNow()))!);

    public Task<UserRecord?> GetUserAsync(string id, CancellationToken cancellationToken = default) => Locked(() => _users.Find(u => u.Id == id));

    public Task<UserRecord?> GetUserByNameAsync(string name, CancellationToken cancellationToken = default) =>
        Locked(() => _users.Find(u => u.Name == name));

    public Task<Page<UserRecord>> ListUsersAsync(PageRequest page, CancellationToken cancellationToken = default) =>
        Locked(() => NewestFirst(_users, u => u.Id, page));

    public Task<ChatbotRecord?> CreateChatbotAsync(NewChatbot chatbot, CancellationToken cancellationToken = default) => Locked(() =>
        !_users.Exists(u => u.Id == chatbot.OwnerId) ? null : Add(_chatbots, new ChatbotRecord
        {
            Id = NewId(),
            Name = chatbot.Name,
            Model = chatbot.Model,
            SystemPrompt = chatbot.SystemPrompt,
            OwnerId = chatbot.OwnerId,
            Visibility = chatbot.Visibility,
            CreatedAt = time.GetUtcNow(),
            UpdatedAt = time.GetUtcNow(),
        }));

    public Task<ChatbotRecord?> GetChatbotAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        Locked(() => FindChatbot(userId, id));

    public Task<Page<ChatbotRecord>> ListChatbotsAsync(string userId, PageRequest page, CancellationToken cancellationToken = default) =>
        Locked(() => NewestFirst(_chatbots.Where(c => Sees(userId, c)), c => c.Id, page));

    public Task<ChatbotRecord?> UpdateChatbotAsync(
        string userId, string id, ChatbotChanges changes, CancellationToken cancellationToken = default) => Locked(() =>
    {
        int at = _chatbots.FindIndex(c => c.Id == id && c.OwnerId == userId);
        if (at < 0) return null;
        var old = _chatbots[at];
        return _chatbots[at] = old with
        {
            Name = changes.Name ?? old.Name,
            Model = changes.Model is { } model ? (model.Length == 0 ? null : model) : old.Model,
            SystemPrompt = changes.SystemPrompt ?? old.SystemPrompt,
            Visibility = changes.Visibility ?? old.Visibility,
            UpdatedAt = time.GetUtcNow(),
        };
    });

    public Task<bool> DeleteChatbotAsync(string userId, string id, CancellationToken cancellationToken = default) => Locked(() =>
    {
        _documents.RemoveAll(d => d.Document.ChatbotId == id && _chatbots.Exists(c => c.Id == id && c.OwnerId == userId));
        return _chatbots.RemoveAll(c => c.Id == id && c.OwnerId == userId) > 0;
    });

    public async Task<CreatedConversation?> CreateConversationAsync(
        NewConversation conversation, NewMessage? firstMessage = null, CancellationToken cancellationToken = default)
    {
        await WriteAsync();
        return await Locked(() =>
        {
            if (!_users.Exists(u => u.Id == conversation.UserId) || FindChatbot(conversation.UserId, conversation.ChatbotId) is null) return null;
            var made = Add(_conversations, new ConversationRecord
            {
                Id = NewId(),
                UserId = conversation.UserId,
                ChatbotId = conversation.ChatbotId,
                Title = conversation.Title,
                SystemPrompt = conversation.SystemPrompt,
                CreatedAt = time.GetUtcNow(),
                UpdatedAt = time.GetUtcNow(),
            })!;
            var first = firstMessage is null ? null : Append(made.Id, firstMessage);
            return new CreatedConversation(Find(made.UserId, made.Id)!, first);
        });
    }

    public Task<ConversationRecord?> GetConversationAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        Locked(() => Find(userId, id));

    public Task<Page<ConversationRecord>> ListConversationsAsync(
        string userId, PageRequest page, string? chatbotId = null, CancellationToken cancellationToken = default) => Locked(() =>
        NewestFirst(_conversations.Where(c => c.UserId == userId && (chatbotId is null || c.ChatbotId == chatbotId)).OrderBy(c => c.UpdatedAt),
            c => c.Id, page));

    public Task<ConversationRecord?> UpdateConversationAsync(
        string userId, string id, ConversationChanges changes, CancellationToken cancellationToken = default) => Locked(() =>
        Find(userId, id) is not { } old ? null : Replace(old with
        {
            Title = changes.Title ?? old.Title,
            SystemPrompt = changes.SystemPrompt is { } prompt ? (prompt.Length == 0 ? null : prompt) : old.SystemPrompt,
            UpdatedAt = changes.Title is null ? old.UpdatedAt : time.GetUtcNow(),
        }));

    public Task<bool> DeleteConversationAsync(string userId, string id, CancellationToken cancellationToken = default) => Locked(() =>
    {
        if (_conversations.RemoveAll(c => c.Id == id && c.UserId == userId) == 0) return false;
        _messages.RemoveAll(m => m.ConversationId == id);
        return true;
    });

    public Task<Page<ConversationHit>> SearchConversationsAsync(
        string userId, string query, PageRequest page, CancellationToken cancellationToken = default) => Locked(() =>
    {
        var words = Words(query);
        var hits = _conversations.Where(c => c.UserId == userId)
            .Select(c => (Conversation: c, Message: _messages.FindLast(m => m.ConversationId == c.Id && words.IsSubsetOf(Words(m.Content)))))
            .Where(h => words.Count > 0 && (h.Message is not null || words.IsSubsetOf(Words(h.Conversation.Title))))
            .Select(h => new ConversationHit(h.Conversation, h.Message?.Id, h.Message?.Content ?? h.Conversation.Title));
        return NewestFirst(hits, h => h.Conversation.Id, page);
    });

    public async Task<AppendResult?> AppendMessageAsync(
        string userId, string conversationId, NewMessage message, CancellationToken cancellationToken = default)
    {
        await WriteAsync();
        lock (_gate)
        {
            if (Find(userId, conversationId) is null) return null;
            var present = _messages.Find(m => m.ConversationId == conversationId
                && (m.Id == message.Id || (message.ClientMessageId is not null && m.ClientMessageId == message.ClientMessageId)));
            return present is not null ? new AppendResult(present, false) : new AppendResult(Append(conversationId, message), true);
        }
    }

    public Task<Page<MessageRecord>?> ListMessagesAsync(
        string userId, string conversationId, PageRequest page, CancellationToken cancellationToken = default) => Locked(() =>
    {
        if (ReadFailure is { } failure) throw failure();
        if (Find(userId, conversationId) is null) return null;
        var newest = NewestFirst(_messages.Where(m => m.ConversationId == conversationId), m => m.Id, page);
        return new Page<MessageRecord>([.. newest.Items.Reverse()], newest.Next);
    });

    public Task<MessageRecord?> GetMessageAsync(string userId, string messageId, CancellationToken cancellationToken = default) =>
        Locked(() => _messages.Find(m => m.Id == messageId && Find(userId, m.ConversationId) is not null));

    public Task<IReadOnlyList<MessageRecord>> GetTurnAsync(
        string userId, string conversationId, string turnId, CancellationToken cancellationToken = default) => Locked<IReadOnlyList<MessageRecord>>(() =>
        Find(userId, conversationId) is null ? [] : [.. _messages.Where(m => m.ConversationId == conversationId && m.TurnId == turnId)]);

    public Task<DocumentRecord?> AddDocumentAsync(NewDocument document, CancellationToken cancellationToken = default) => Locked(() =>
    {
        if (FindChatbot(document.OwnerId, document.ChatbotId) is null) return null;
        var record = new DocumentRecord
        {
            Id = NewId(),
            ChatbotId = document.ChatbotId,
            OwnerId = document.OwnerId,
            FileName = document.FileName,
            ContentType = document.ContentType,
            Size = document.Size,
            PassageCount = document.Passages.Count,
            CreatedAt = time.GetUtcNow(),
        };
        _documents.Add((record, document));
        return record;
    });

    public Task<DocumentRecord?> GetDocumentAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        Locked<DocumentRecord?>(() => _documents.Find(d => d.Document.Id == id && d.Document.OwnerId == userId).Document);

    public Task<DocumentRecord?> GetDocumentByNameAsync(string userId, string fileName, CancellationToken cancellationToken = default) =>
        Locked<DocumentRecord?>(() => _documents.FindLast(d => d.Document.FileName == fileName && d.Document.OwnerId == userId).Document);

    public Task<string?> GetDocumentTextAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        Locked(() => _documents.Find(d => d.Document.Id == id && d.Document.OwnerId == userId).Content?.Text);

    public Task<Page<DocumentRecord>?> ListDocumentsAsync(
        string userId, string chatbotId, PageRequest page, CancellationToken cancellationToken = default) => Locked(() =>
        FindChatbot(userId, chatbotId) is null ? null : NewestFirst(
            _documents.Select(d => d.Document).Where(d => d.ChatbotId == chatbotId && d.OwnerId == userId), d => d.Id, page));

    public Task<bool> DeleteDocumentAsync(string userId, string id, CancellationToken cancellationToken = default) =>
        Locked(() => _documents.RemoveAll(d => d.Document.Id == id && d.Document.OwnerId == userId) > 0);

    public Task<IReadOnlyList<PassageHit>> SearchPassagesAsync(PassageQuery query, CancellationToken cancellationToken = default) =>
        Locked<IReadOnlyList<PassageHit>>(() =>
        {
            var words = Words(query.Query);
            return [.. _documents.Where(d => MaySearch(query, d.Document))
                .SelectMany(d => d.Content.Passages.Select((text, index) => (d.Document, Text: text, Index: index)))
                .Select(p => (p, Found: words.Count(Words(p.Text).Contains)))
                .Where(p => p.Found > 0)
                .OrderByDescending(p => p.Found)
                .Take(query.Limit)
                .Select(p => new PassageHit(
                    p.p.Document.Id, p.p.Document.FileName, p.p.Index, p.p.Text, p.Found, (double)p.Found / words.Count))];
        });

    public ValueTask DisposeAsync() => default;

    private async Task WriteAsync()
    {
        if (_hold is { } hold)
        {
            Interlocked.Increment(ref _held);
            await hold.Task;
            Interlocked.Decrement(ref _held);
        }
        if (WriteFailure is { } failure) throw failure();
    }

    private MessageRecord Append(string conversationId, NewMessage message)
    {
        var conversation = _conversations.Find(c => c.Id == conversationId)!;
        Replace(conversation with { UpdatedAt = time.GetUtcNow(), MessageCount = conversation.MessageCount + 1 });
        return Add(_messages, new MessageRecord
        {
            Id = message.Id ?? NewId(),
            ConversationId = conversationId,
            Seq = conversation.MessageCount + 1,
            Role = message.Role,
            Content = message.Content,
            CreatedAt = time.GetUtcNow(),
            TurnId = message.TurnId,
            ClientMessageId = message.ClientMessageId,
            Model = message.Model,
            FinishReason = message.FinishReason,
            Usage = message.Usage,
            SourcesJson = message.SourcesJson,
            Status = message.Status,
        })!;
    }

    private bool MaySearch(PassageQuery query, DocumentRecord document) =>
        (query.DocumentId is null || document.Id == query.DocumentId)
        && (query.ChatbotId is null || document.ChatbotId == query.ChatbotId)
        && (document.OwnerId == query.UserId
            || (query.ChatbotId is { } id && FindChatbot(query.UserId, id)?.OwnerId == document.OwnerId));

    private ConversationRecord Replace(ConversationRecord conversation)
    {
        _conversations[_conversations.FindIndex(c => c.Id == conversation.Id)] = conversation;
        return conversation;
    }

    private ConversationRecord? Find(string userId, string id) => _conversations.Find(c => c.Id == id && c.UserId == userId);

    private ChatbotRecord? FindChatbot(string userId, string id) => _chatbots.Find(c => c.Id == id && Sees(userId, c));

    private static bool Sees(string userId, ChatbotRecord chatbot) => chatbot.OwnerId == userId || chatbot.Visibility == ChatbotVisibility.Public;

    private static HashSet<string> Words(string text) => [.. text.ToUpperInvariant().Split(
        (char[]?)[' ', '\n', '\t', '.', ',', '!', '?', ':', ';'], StringSplitOptions.RemoveEmptyEntries)];

    private static T? Add<T>(List<T> list, T item)
    {
        list.Add(item);
        return item;
    }

    private string NewId() => StoreId.New(time.GetUtcNow());

    private static Page<T> NewestFirst<T>(IEnumerable<T> oldestFirst, Func<T, string> idOf, PageRequest page)
    {
        T[] rest = [.. oldestFirst.Reverse()];
        if (page.Before is { } before) rest = [.. rest.SkipWhile(i => idOf(i) != before).Skip(1)];
        T[] items = [.. rest.Take(page.Limit)];
        return new Page<T>(items, rest.Length > items.Length ? idOf(items[^1]) : null);
    }

    private Task<T> Locked<T>(Func<T> action)
    {
        lock (_gate) return Task.FromResult(action());
    }

    private sealed class Releaser(MemoryChatStore store) : IDisposable
    {
        public void Dispose() => Interlocked.Exchange(ref store._hold, null)?.SetResult();
    }
}
