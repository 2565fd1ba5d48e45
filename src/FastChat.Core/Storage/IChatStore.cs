namespace FastChat.Storage;

/// <summary>
/// Keeps users, chatbots, conversations, messages and documents. Every method may be called from any thread at any time.
/// A task that writes completes when the write is on disk. Whatever a user may not see is not there: lookups return null, changes false.
/// Failures are <see cref="StoreException"/>s; cancelling a write that already runs does not undo it.
/// Texts must be valid UTF-16: a lone surrogate is stored as U+FFFD.
/// </summary>
public interface IChatStore : IAsyncDisposable
{
    /// <summary>The store's name in configuration, for instance <c>sqlite</c>.</summary>
    string Name { get; }

    /// <summary>Checks that the store can read and that its writer runs. Throws a <see cref="StoreException"/> when not.</summary>
    Task PingAsync(CancellationToken cancellationToken = default);

    /// <summary>Makes a user. Returns null when the name is taken.</summary>
    Task<UserRecord?> CreateUserAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>
    /// Returns the user with this id, made where needed: for ids that another issuer vouches for. A name given here labels the user
    /// only: it need not be unique, is not found by <see cref="GetUserByNameAsync"/>, and does not change a user who is there already.
    /// </summary>
    Task<UserRecord> EnsureUserAsync(string id, string name, CancellationToken cancellationToken = default);

    /// <summary>Returns a user, or null.</summary>
    Task<UserRecord?> GetUserAsync(string id, CancellationToken cancellationToken = default);

    /// <summary>Returns the user made by <see cref="CreateUserAsync"/> under exactly this name, or null.</summary>
    Task<UserRecord?> GetUserByNameAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Lists all users, newest first.</summary>
    Task<Page<UserRecord>> ListUsersAsync(PageRequest page, CancellationToken cancellationToken = default);

    /// <summary>Makes a chatbot. Returns null when its owner does not exist.</summary>
    Task<ChatbotRecord?> CreateChatbotAsync(NewChatbot chatbot, CancellationToken cancellationToken = default);

    /// <summary>Returns a chatbot that the user may use, or null.</summary>
    Task<ChatbotRecord?> GetChatbotAsync(string userId, string id, CancellationToken cancellationToken = default);

    /// <summary>Lists the chatbots that the user may use, newest first; the built-in one is the last.</summary>
    Task<Page<ChatbotRecord>> ListChatbotsAsync(string userId, PageRequest page, CancellationToken cancellationToken = default);

    /// <summary>Changes a chatbot that the user owns, and returns it. Null when there is none.</summary>
    Task<ChatbotRecord?> UpdateChatbotAsync(string userId, string id, ChatbotChanges changes, CancellationToken cancellationToken = default);

    /// <summary>
    /// Deletes a chatbot that the user owns, with its documents. Conversations with it stay and go on with the built-in one.
    /// Returns false when there is none.
    /// </summary>
    Task<bool> DeleteChatbotAsync(string userId, string id, CancellationToken cancellationToken = default);

    /// <summary>
    /// Makes a conversation and, in the same transaction, its first message. Returns null when the user does not exist or may not use
    /// the chatbot.
    /// </summary>
    Task<CreatedConversation?> CreateConversationAsync(
        NewConversation conversation, NewMessage? firstMessage = null, CancellationToken cancellationToken = default);

    /// <summary>Returns one of the user's conversations, or null.</summary>
    Task<ConversationRecord?> GetConversationAsync(string userId, string id, CancellationToken cancellationToken = default);

    /// <summary>
    /// Lists the user's conversations, last changed first. Conversations made or changed while one pages move to the front and do not
    /// disturb the pages behind.
    /// </summary>
    /// <param name="userId">Id of the user.</param>
    /// <param name="page">Which part.</param>
    /// <param name="chatbotId">Only those with this chatbot; null for all.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    Task<Page<ConversationRecord>> ListConversationsAsync(
        string userId, PageRequest page, string? chatbotId = null, CancellationToken cancellationToken = default);

    /// <summary>Changes one of the user's conversations (its title, say), and returns it. Null when there is none.</summary>
    Task<ConversationRecord?> UpdateConversationAsync(
        string userId, string id, ConversationChanges changes, CancellationToken cancellationToken = default);

    /// <summary>Deletes one of the user's conversations with its messages. Returns false when there is none.</summary>
    Task<bool> DeleteConversationAsync(string userId, string id, CancellationToken cancellationToken = default);

    /// <summary>
    /// Finds the user's conversations of which one message, or the title, holds every word of the query (a word may be the start of a
    /// longer one), last changed first. Any text is a valid query; one without words finds nothing.
    /// </summary>
    Task<Page<ConversationHit>> SearchConversationsAsync(
        string userId, string query, PageRequest page, CancellationToken cancellationToken = default);

    /// <summary>
    /// Appends a message to one of the user's conversations. A message whose <see cref="NewMessage.ClientMessageId"/> or
    /// <see cref="NewMessage.Id"/> the conversation holds already is not stored again: that one is returned.
    /// Null when the conversation is not there (any more).
    /// </summary>
    Task<AppendResult?> AppendMessageAsync(
        string userId, string conversationId, NewMessage message, CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads messages of one of the user's conversations: the last <see cref="PageRequest.Limit"/>, oldest first;
    /// <see cref="Page{T}.Next"/> leads to older ones. Null when the conversation is not there.
    /// </summary>
    Task<Page<MessageRecord>?> ListMessagesAsync(
        string userId, string conversationId, PageRequest page, CancellationToken cancellationToken = default);

    /// <summary>Returns a message of one of the user's conversations, or null.</summary>
    Task<MessageRecord?> GetMessageAsync(string userId, string messageId, CancellationToken cancellationToken = default);

    /// <summary>Reads the messages of one turn, oldest first; empty when there are none.</summary>
    Task<IReadOnlyList<MessageRecord>> GetTurnAsync(
        string userId, string conversationId, string turnId, CancellationToken cancellationToken = default);

    /// <summary>Stores a document and indexes its passages. Returns null when the owner may not use the chatbot.</summary>
    Task<DocumentRecord?> AddDocumentAsync(NewDocument document, CancellationToken cancellationToken = default);

    /// <summary>Returns one of the user's documents, or null.</summary>
    Task<DocumentRecord?> GetDocumentAsync(string userId, string id, CancellationToken cancellationToken = default);

    /// <summary>Returns the newest of the user's documents with exactly this file name, or null.</summary>
    Task<DocumentRecord?> GetDocumentByNameAsync(string userId, string fileName, CancellationToken cancellationToken = default);

    /// <summary>Returns the whole text of one of the user's documents, or null.</summary>
    Task<string?> GetDocumentTextAsync(string userId, string id, CancellationToken cancellationToken = default);

    /// <summary>Lists the user's own documents of a chatbot, newest first. Null when the user may not use the chatbot.</summary>
    Task<Page<DocumentRecord>?> ListDocumentsAsync(
        string userId, string chatbotId, PageRequest page, CancellationToken cancellationToken = default);

    /// <summary>Deletes one of the user's documents with its passages. Returns false when there is none.</summary>
    Task<bool> DeleteDocumentAsync(string userId, string id, CancellationToken cancellationToken = default);

    /// <summary>Finds the passages that answer a question best, best first. Any text is a valid question; one without words finds nothing.</summary>
    Task<IReadOnlyList<PassageHit>> SearchPassagesAsync(PassageQuery query, CancellationToken cancellationToken = default);
}
