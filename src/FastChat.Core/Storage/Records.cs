namespace FastChat.Storage;

/// <summary>Somebody who chats.</summary>
/// <param name="Id">Opaque id, chosen by the store or, for users known to another issuer, that issuer's subject.</param>
/// <param name="Name">Display name. Unique among users made by <see cref="IChatStore.CreateUserAsync"/>.</param>
/// <param name="CreatedAt">UTC, microsecond precision.</param>
public sealed record UserRecord(string Id, string Name, DateTimeOffset CreatedAt);

/// <summary>Who may see and use a chatbot. Its owner always may.</summary>
public enum ChatbotVisibility
{
    /// <summary>Its owner alone.</summary>
    Private,

    /// <summary>Every user. Its owner's documents then serve everybody's answers.</summary>
    Public,
}

/// <summary>A chatbot: a model, a system prompt and documents under a name.</summary>
public sealed record ChatbotRecord
{
    /// <summary>Id of the built-in chatbot, which every store holds from its first start and nobody can change or delete.</summary>
    public const string AssistantId = "assistant";

    /// <summary>Name of the built-in chatbot.</summary>
    public const string AssistantName = "Assistant";

    /// <summary>Opaque id.</summary>
    public required string Id { get; init; }

    /// <summary>Display name.</summary>
    public required string Name { get; init; }

    /// <summary>Name of the model; null means the server's default.</summary>
    public string? Model { get; init; }

    /// <summary>Instructions put before the conversation; empty for none.</summary>
    public string SystemPrompt { get; init; } = "";

    /// <summary>Id of the user who made it; null for the built-in one.</summary>
    public string? OwnerId { get; init; }

    /// <summary>Who besides the owner may use it.</summary>
    public ChatbotVisibility Visibility { get; init; }

    /// <summary>UTC, microsecond precision.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed. UTC, microsecond precision.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>A chatbot to be made. The properties mean what those of <see cref="ChatbotRecord"/> mean.</summary>
/// <param name="OwnerId">Id of the user who makes it.</param>
/// <param name="Name">Display name.</param>
public sealed record NewChatbot(string OwnerId, string Name)
{
    /// <summary>Name of the model; null means the server's default.</summary>
    public string? Model { get; init; }

    /// <summary>Instructions put before the conversation; empty for none.</summary>
    public string SystemPrompt { get; init; } = "";

    /// <summary>Who besides the owner may use it.</summary>
    public ChatbotVisibility Visibility { get; init; }
}

/// <summary>Changes to a chatbot; null leaves a property as it is.</summary>
public sealed record ChatbotChanges
{
    /// <summary>New display name.</summary>
    public string? Name { get; init; }

    /// <summary>New model; the empty string means the server's default from now on.</summary>
    public string? Model { get; init; }

    /// <summary>New system prompt.</summary>
    public string? SystemPrompt { get; init; }

    /// <summary>New visibility.</summary>
    public ChatbotVisibility? Visibility { get; init; }
}

/// <summary>The persisted history of one user with one chatbot.</summary>
public sealed record ConversationRecord
{
    /// <summary>Opaque id.</summary>
    public required string Id { get; init; }

    /// <summary>Id of the user whose it is.</summary>
    public required string UserId { get; init; }

    /// <summary>Id of its chatbot. When that is deleted, the conversation goes on with <see cref="ChatbotRecord.AssistantId"/>.</summary>
    public required string ChatbotId { get; init; }

    /// <summary>Title; empty while it has none.</summary>
    public required string Title { get; init; }

    /// <summary>Instructions of this conversation alone (seed 004's session_prompt), after the chatbot's; null for none.</summary>
    public string? SystemPrompt { get; init; }

    /// <summary>UTC, microsecond precision.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When a message was last appended or the title changed. UTC, microsecond precision. Lists are sorted by it.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>How many messages it holds.</summary>
    public int MessageCount { get; init; }
}

/// <summary>A conversation to be made.</summary>
/// <param name="UserId">Id of the user whose it will be.</param>
/// <param name="ChatbotId">Id of a chatbot that this user may use.</param>
public sealed record NewConversation(string UserId, string ChatbotId = ChatbotRecord.AssistantId)
{
    /// <summary>Title; empty for none yet.</summary>
    public string Title { get; init; } = "";

    /// <summary>Instructions of this conversation alone; null for none.</summary>
    public string? SystemPrompt { get; init; }
}

/// <summary>Changes to a conversation; null leaves a property as it is.</summary>
public sealed record ConversationChanges
{
    /// <summary>New title. Changes <see cref="ConversationRecord.UpdatedAt"/>.</summary>
    public string? Title { get; init; }

    /// <summary>New instructions; the empty string removes them.</summary>
    public string? SystemPrompt { get; init; }
}

/// <summary>What a conversation was created with.</summary>
/// <param name="Conversation">The conversation.</param>
/// <param name="FirstMessage">Its first message; null when none was given.</param>
public sealed record CreatedConversation(ConversationRecord Conversation, MessageRecord? FirstMessage);

/// <summary>Who speaks.</summary>
public enum MessageRole
{
    /// <summary>The user.</summary>
    User,

    /// <summary>The model.</summary>
    Assistant,

    /// <summary>The server.</summary>
    System,
}

/// <summary>How the production of a message ended. A user's message is always <see cref="Complete"/>.</summary>
public enum MessageStatus
{
    /// <summary>Whole.</summary>
    Complete,

    /// <summary>Stopped by the user; the content is what had come until then.</summary>
    Stopped,

    /// <summary>The model's stream broke off; the content is what had come until then.</summary>
    Truncated,

    /// <summary>The model failed; the content may be empty.</summary>
    Failed,
}

/// <summary>Tokens that a message cost.</summary>
/// <param name="PromptTokens">Tokens read by the model.</param>
/// <param name="CompletionTokens">Tokens written by the model.</param>
public readonly record struct TokenUsage(long PromptTokens, long CompletionTokens);

/// <summary>A message to be appended. The properties mean what those of <see cref="MessageRecord"/> mean.</summary>
/// <param name="Role">Who speaks.</param>
/// <param name="Content">The text; may be empty.</param>
public sealed record NewMessage(MessageRole Role, string Content)
{
    /// <summary>Its id, where it had to be known before (<see cref="StoreId.New"/>); null lets the store choose.</summary>
    public string? Id { get; init; }

    /// <summary>Id of the turn; null for none.</summary>
    public string? TurnId { get; init; }

    /// <summary>The sender's own id of the message: appending the same again returns the first one. Null for none.</summary>
    public string? ClientMessageId { get; init; }

    /// <summary>Model that wrote it.</summary>
    public string? Model { get; init; }

    /// <summary>Why the model ended.</summary>
    public string? FinishReason { get; init; }

    /// <summary>What it cost.</summary>
    public TokenUsage? Usage { get; init; }

    /// <summary>Sources of the answer as a JSON array.</summary>
    public string? SourcesJson { get; init; }

    /// <summary>How its production ended.</summary>
    public MessageStatus Status { get; init; }
}

/// <summary>A message of a conversation. Never changes once appended.</summary>
public sealed record MessageRecord
{
    /// <summary>Opaque id.</summary>
    public required string Id { get; init; }

    /// <summary>Id of its conversation.</summary>
    public required string ConversationId { get; init; }

    /// <summary>Place within the conversation: 1, 2, 3, ... without gaps.</summary>
    public required long Seq { get; init; }

    /// <summary>Who speaks.</summary>
    public required MessageRole Role { get; init; }

    /// <summary>The text.</summary>
    public required string Content { get; init; }

    /// <summary>UTC, microsecond precision.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Id of the turn, shared by a question and its answer.</summary>
    public string? TurnId { get; init; }

    /// <summary>The sender's own id of the message, unique within its conversation.</summary>
    public string? ClientMessageId { get; init; }

    /// <summary>Model that wrote it; null for a user's message.</summary>
    public string? Model { get; init; }

    /// <summary>Why the model ended (<c>stop</c>, <c>length</c>, ...); null when it did not say or for a user's message.</summary>
    public string? FinishReason { get; init; }

    /// <summary>What it cost; null when unknown.</summary>
    public TokenUsage? Usage { get; init; }

    /// <summary>Sources of the answer as a JSON array; null for none.</summary>
    public string? SourcesJson { get; init; }

    /// <summary>How its production ended.</summary>
    public MessageStatus Status { get; init; }
}

/// <summary>What appending a message came to.</summary>
/// <param name="Message">The message that the conversation now holds.</param>
/// <param name="Created">False when a message with the same client_message_id (or id) was there before: <paramref name="Message"/> is that one.</param>
public readonly record struct AppendResult(MessageRecord Message, bool Created);

/// <summary>A conversation that matches a search.</summary>
/// <param name="Conversation">The conversation.</param>
/// <param name="MessageId">Id of the newest message that matches; null when only the title does.</param>
/// <param name="Snippet">A short piece of the matching text around the first match, plain text on one line.</param>
public sealed record ConversationHit(ConversationRecord Conversation, string? MessageId, string Snippet);
