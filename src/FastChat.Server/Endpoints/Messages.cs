using System.Text.Json;
using FastChat.Chat;
using FastChat.Storage;

namespace FastChat.Server.Endpoints;

/// <summary>What an answer cost.</summary>
internal sealed record UsageBody(long PromptTokens, long CompletionTokens, long TotalTokens);

/// <summary>A message of a conversation, as seed 003 has it, and what else is known of it.</summary>
internal sealed record MessageBody(string Id, string Content, string Role, DateTime CreatedAt)
{
    public string? ReplyTo { get; init; }

    public string? ClientMessageId { get; init; }

    public string? FinishReason { get; init; }

    public string? Model { get; init; }

    public UsageBody? Usage { get; init; }

    public JsonElement? Sources { get; init; }

    public static MessageBody From(MessageRecord m) => new(m.Id, m.Content, m.Role.ToWire(), m.CreatedAt.UtcDateTime)
    {
        ReplyTo = MessageFields.ReplyTo(m),
        ClientMessageId = m.ClientMessageId,
        FinishReason = MessageFields.FinishReason(m),
        Model = m.Model,
        Usage = MessageFields.Usage(m),
        Sources = MessageFields.Sources(m),
    };
}

/// <summary>A message of the past, as seed 002's front end shows it when a session opens.</summary>
internal sealed record PreviousMessageBody(string Id, string Role, string Message, DateTime CreatedAt)
{
    public string? ReplyTo { get; init; }

    public string? ClientMessageId { get; init; }

    public string? FinishReason { get; init; }

    public UsageBody? Usage { get; init; }

    public JsonElement? Sources { get; init; }

    public static PreviousMessageBody From(MessageRecord m) => new(m.Id, m.Role.ToWire(), m.Content, m.CreatedAt.UtcDateTime)
    {
        ReplyTo = MessageFields.ReplyTo(m),
        ClientMessageId = m.ClientMessageId,
        FinishReason = MessageFields.FinishReason(m),
        Usage = MessageFields.Usage(m),
        Sources = MessageFields.Sources(m),
    };
}

/// <summary>Fields that both forms have.</summary>
internal static class MessageFields
{
    public static string? ReplyTo(MessageRecord m) => m.Role == MessageRole.Assistant && m.TurnId != m.Id ? m.TurnId : null;

    public static string? FinishReason(MessageRecord m) => m.Role != MessageRole.Assistant ? null : m.FinishReason ?? m.Status switch
    {
        MessageStatus.Stopped => Chat.FinishReason.Cancelled,
        MessageStatus.Truncated => Chat.FinishReason.Truncated,
        MessageStatus.Failed => Chat.FinishReason.Error,
        _ => Chat.FinishReason.Stop,
    };

    public static UsageBody? Usage(MessageRecord m) =>
        m.Usage is { } usage ? new(usage.PromptTokens, usage.CompletionTokens, usage.PromptTokens + usage.CompletionTokens) : null;

    public static JsonElement? Sources(MessageRecord m) => m.SourcesJson is { } json ? JsonElement.Parse(json) : null;
}
