using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace FastChat.Server.Models;

/// <summary>One event of a chat completion stream: the fields read here of OpenAI's <c>chat.completion.chunk</c>.</summary>
internal sealed class ChatCompletionChunk
{
    public ChunkChoice[]? Choices { get; init; }

    public ChunkUsage? Usage { get; init; }

    /// <summary>What compatible servers send in place of a chunk when they fail in mid-answer.</summary>
    public JsonElement? Error { get; init; }

    public ChatResponseUpdate ToUpdate()
    {
        var update = new ChatResponseUpdate { Role = ChatRole.Assistant };
        if (Choices is [var choice, ..])
        {
            // A refusal is the model's answer too; reasoning is not.
            if (choice.Delta?.Content is { Length: > 0 } text) update.Contents.Add(new TextContent(text));
            if (choice.Delta?.Refusal is { Length: > 0 } refusal) update.Contents.Add(new TextContent(refusal));
            update.FinishReason = Reason(choice.FinishReason);
        }
        if (Usage is { } usage) update.Contents.Add(new UsageContent(usage.ToDetails()));
        return update;
    }

    private static ChatFinishReason? Reason(string? wire) => wire switch
    {
        null or "" => null,
        "stop" => ChatFinishReason.Stop,
        "length" => ChatFinishReason.Length,
        "content_filter" => ChatFinishReason.ContentFilter,
        "tool_calls" or "function_call" => ChatFinishReason.ToolCalls,
        _ => new ChatFinishReason(wire),
    };
}

internal sealed class ChunkChoice
{
    public ChunkDelta? Delta { get; init; }

    public string? FinishReason { get; init; }
}

internal sealed class ChunkDelta
{
    public string? Content { get; init; }

    public string? Refusal { get; init; }
}

internal sealed class ChunkUsage
{
    public long? PromptTokens { get; init; }

    public long? CompletionTokens { get; init; }

    public long? TotalTokens { get; init; }

    public UsageDetails ToDetails() =>
        new() { InputTokenCount = PromptTokens, OutputTokenCount = CompletionTokens, TotalTokenCount = TotalTokens };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ChatCompletionChunk))]
internal sealed partial class ChatCompletionJson : JsonSerializerContext;
