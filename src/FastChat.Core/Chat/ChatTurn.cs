using FastChat.Storage;

namespace FastChat.Chat;

/// <summary>A message of a user, to be answered.</summary>
/// <param name="UserId">Who sends it.</param>
/// <param name="Text">What it says.</param>
public sealed record TurnRequest(string UserId, string Text)
{
    /// <summary>The conversation to go on with; null starts one.</summary>
    public string? ConversationId { get; init; }

    /// <summary>The chatbot of a conversation that is to be started; the built-in one when null.</summary>
    public string? ChatbotId { get; init; }

    /// <summary>
    /// The sender's own id of the message, up to 200 characters: sent again, it is the same turn, stored once and answered once.
    /// Works within one conversation.
    /// </summary>
    public string? ClientMessageId { get; init; }

    /// <summary>The model to answer with; the chatbot's when null.</summary>
    public string? Model { get; init; }

    /// <summary>New instructions of this conversation from now on; null leaves them, the empty string removes them.</summary>
    public string? SystemPrompt { get; init; }

    /// <summary>File name of a document of the user's to answer from; null to search the chatbot's documents.</summary>
    public string? FileName { get; init; }
}

/// <summary>A user's message and its answer.</summary>
public sealed class ChatTurn
{
    internal ChatTurn(ConversationRecord conversation, MessageRecord question, Generation answer)
    {
        Conversation = conversation;
        Question = question;
        Answer = answer;
    }

    /// <summary>The conversation, as it was when the message came, but with the title it has now.</summary>
    public ConversationRecord Conversation { get; }

    /// <summary>The user's message. On disk.</summary>
    public MessageRecord Question { get; }

    /// <summary>The answer, running or over.</summary>
    public Generation Answer { get; }

    /// <summary>The turn's id: that of the user's message.</summary>
    public string Id => Question.TurnId ?? Question.Id;

    internal string? Model { get; init; }

    internal DocumentRecord? Document { get; init; }

    internal bool NeedsTitle { get; init; }

    internal bool Is(string messageId) => Question.Id == messageId || Answer.Id == messageId;
}

/// <summary>What became of a <see cref="TurnRequest"/>.</summary>
/// <param name="Turn">The turn.</param>
/// <param name="Repeated">True when the same <see cref="TurnRequest.ClientMessageId"/> had come before: this is that turn.</param>
public readonly record struct ChatSubmission(ChatTurn Turn, bool Repeated);
