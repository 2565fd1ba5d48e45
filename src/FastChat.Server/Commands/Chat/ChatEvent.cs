using System.Text.Json;

namespace FastChat.Server.Commands.Chat;

/// <summary>What a message of seed 002's dialect says.</summary>
internal enum ChatEventKind
{
    /// <summary>Something that the terminal does not show.</summary>
    Other,

    /// <summary><c>message_received</c>.</summary>
    Received,

    /// <summary><c>response_chunk</c>.</summary>
    Chunk,

    /// <summary><c>response_complete</c>.</summary>
    Complete,

    /// <summary><c>error</c>.</summary>
    Error,
}

/// <summary>A message from the server.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">The chunk, the whole answer, or the error's sentence; fit for a terminal.</param>
internal sealed record ChatEvent(ChatEventKind Kind, string Text = "")
{
    /// <summary>How an answer ended, where the server says so.</summary>
    public string? FinishReason { get; init; }

    /// <summary>Our id of the question that this is about, where the server says so.</summary>
    public string? ClientMessageId { get; init; }

    /// <summary>The server's id of the answer that this is about or that will come, where it says so.</summary>
    public string? AnswerId { get; init; }

    /// <summary>Reads a message. What is no JSON object of a known type is <see cref="ChatEventKind.Other"/>.</summary>
    public static ChatEvent Read(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            using var json = JsonDocument.Parse(utf8);
            var root = json.RootElement;
            return Member(root, "type") switch
            {
                "message_received" => new(ChatEventKind.Received)
                {
                    ClientMessageId = Member(root, "client_message_id"),
                    AnswerId = Member(root, "response_id"),
                },
                "response_chunk" => new(ChatEventKind.Chunk, Member(root, "chunk") ?? "") { AnswerId = Member(root, "message_id") },
                "response_complete" => new(ChatEventKind.Complete, Member(root, "full_response") ?? "")
                {
                    FinishReason = Member(root, "finish_reason"),
                    AnswerId = Member(root, "message_id"),
                },
                "error" => new(ChatEventKind.Error, Member(root, "message") ?? "The server reports an error.")
                {
                    ClientMessageId = Member(root, "client_message_id"),
                    AnswerId = Member(root, "message_id"),
                },
                _ => new(ChatEventKind.Other),
            };
        }
        catch (JsonException)
        {
            return new(ChatEventKind.Other);
        }
    }

    /// <summary>A member that is a string, without what a terminal would obey; null where there is none.</summary>
    public static string? Member(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? PlainText.Printable(value.GetString()!)
            : null;
}
