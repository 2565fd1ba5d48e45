using FastChat.Storage;

namespace FastChat.Chat;

/// <summary>How an answer ended. By the time anybody sees one with <see cref="Saved"/>, the answer is on disk.</summary>
public sealed record GenerationResult
{
    /// <summary>The answer, or the part of it that was received.</summary>
    public required string Text { get; init; }

    /// <summary>One of <see cref="Chat.FinishReason"/>'s values.</summary>
    public required string FinishReason { get; init; }

    /// <summary>When the answer was stored. UTC.</summary>
    public required DateTimeOffset CompletedAt { get; init; }

    /// <summary>Tokens read and written; null for answers stored without.</summary>
    public TokenUsage? Usage { get; init; }

    /// <summary>Where the passages given to the model came from, as a JSON array; null for none.</summary>
    public string? SourcesJson { get; init; }

    /// <summary>What went wrong; null when nothing did.</summary>
    public ChatError? Error { get; init; }

    /// <summary>False when the store failed or the conversation was deleted meanwhile: then <see cref="Error"/> says so.</summary>
    public required bool Saved { get; init; }

    internal static GenerationResult From(MessageRecord answer) => new()
    {
        Text = answer.Content,
        FinishReason = Chat.FinishReason.Of(answer),
        CompletedAt = answer.CreatedAt,
        Usage = answer.Usage,
        SourcesJson = answer.SourcesJson,
        Error = answer.Status == MessageStatus.Failed ? new(ChatErrorCode.ModelFailed, "The model could not finish this answer.") : null,
        Saved = true,
    };
}
