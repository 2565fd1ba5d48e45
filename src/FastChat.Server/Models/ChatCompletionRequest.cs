using System.Buffers;
using System.ClientModel;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace FastChat.Server.Models;

/// <summary>Writes the body of a streamed chat completion request.</summary>
internal static class ChatCompletionRequest
{
    // It is read by a JSON parser, not put into a page: text beyond ASCII stays as it is.
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="model">The upstream's model and the settings of a request that names none.</param>
    /// <param name="messages">The conversation, oldest first.</param>
    /// <param name="options">What the request asks for.</param>
    /// <param name="modern">Whether the limit is called <c>max_completion_tokens</c> rather than <c>max_tokens</c>.</param>
    public static BinaryContent Write(ModelSettings model, IEnumerable<ChatMessage> messages, ChatOptions? options, bool modern)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer, Relaxed))
        {
            json.WriteStartObject();
            json.WriteString("model"u8, model.Model);
            WriteMessages(json, messages, options);
            json.WriteBoolean("stream"u8, true);
            json.WriteStartObject("stream_options"u8);
            json.WriteBoolean("include_usage"u8, true);
            json.WriteEndObject();
            if ((options?.Temperature ?? model.Temperature) is { } temperature) json.WriteNumber("temperature"u8, temperature);
            if (options?.TopP is { } topP) json.WriteNumber("top_p"u8, topP);
            if (options?.Seed is { } seed) json.WriteNumber("seed"u8, seed);
            if (options?.FrequencyPenalty is { } frequency) json.WriteNumber("frequency_penalty"u8, frequency);
            if (options?.PresencePenalty is { } presence) json.WriteNumber("presence_penalty"u8, presence);
            if ((options?.MaxOutputTokens ?? model.MaxOutputTokens) is { } most)
                json.WriteNumber(modern ? "max_completion_tokens"u8 : "max_tokens"u8, most);
            if (options?.StopSequences is { Count: > 0 } stops)
            {
                json.WriteStartArray("stop"u8);
                foreach (string stop in stops) json.WriteStringValue(stop);
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        return BinaryContent.Create(BinaryData.FromBytes(buffer.WrittenMemory));
    }

    private static void WriteMessages(Utf8JsonWriter json, IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        var history = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        json.WriteStartArray("messages"u8);
        // Many chat templates take one system message and only as the first: all of them are joined there.
        var system = history.Where(m => m.Role == ChatRole.System).Select(m => m.Text).Prepend(options?.Instructions ?? "");
        if (string.Join("\n\n", system.Where(t => t.Length > 0)) is { Length: > 0 } instructions) WriteMessage(json, "system"u8, instructions);
        foreach (var message in history.Where(m => m.Role != ChatRole.System))
            WriteMessage(json, message.Role == ChatRole.Assistant ? "assistant"u8 : "user"u8, message.Text);
        json.WriteEndArray();
    }

    private static void WriteMessage(Utf8JsonWriter json, ReadOnlySpan<byte> role, string text)
    {
        json.WriteStartObject();
        json.WriteString("role"u8, role);
        json.WriteString("content"u8, text);
        json.WriteEndObject();
    }
}
