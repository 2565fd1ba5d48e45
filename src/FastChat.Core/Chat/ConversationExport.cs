using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using FastChat.Storage;

namespace FastChat.Chat;

/// <summary>A whole conversation, to be taken away.</summary>
/// <param name="Conversation">The conversation.</param>
/// <param name="Messages">Its messages, oldest first.</param>
public sealed record ConversationExport(ConversationRecord Conversation, IReadOnlyList<MessageRecord> Messages)
{
    /// <summary>Writes one JSON object: id, title, created_at, updated_at, messages (id, role, content, created_at, finish_reason, model, sources).</summary>
    public void WriteJson(IBufferWriter<byte> output)
    {
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("id"u8, Conversation.Id);
        json.WriteString("title"u8, Conversation.Title);
        json.WriteString("created_at"u8, Conversation.CreatedAt.UtcDateTime);
        json.WriteString("updated_at"u8, Conversation.UpdatedAt.UtcDateTime);
        json.WriteStartArray("messages"u8);
        foreach (var message in Messages)
        {
            json.WriteStartObject();
            json.WriteString("id"u8, message.Id);
            json.WriteString("role"u8, message.Role.ToWire());
            json.WriteString("content"u8, message.Content);
            json.WriteString("created_at"u8, message.CreatedAt.UtcDateTime);
            if (message.Role == MessageRole.Assistant)
            {
                json.WriteString("finish_reason"u8, FinishReason.Of(message));
                json.WriteString("model"u8, message.Model);
            }
            if (message.SourcesJson is { } sources)
            {
                json.WritePropertyName("sources"u8);
                json.WriteRawValue(sources);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Makes a Markdown document: the title as heading, each message under its speaker and time.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.Append("# ").Append(Conversation.Title.Length > 0 ? Escape(Conversation.Title) : "Conversation").Append('\n');
        foreach (var message in Messages)
        {
            string speaker = message.Role switch
            {
                MessageRole.User => "You",
                MessageRole.Assistant => "Assistant",
                _ => "System",
            };
            string time = message.CreatedAt.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
            text.Append("\n## ").Append(speaker).Append(" · ").Append(time).Append("\n\n").Append(message.Content).Append('\n');
        }
        return text.ToString();
    }

    // A title is the user's words: it must not turn into a link or a heading of its own.
    private static string Escape(string title)
    {
        var text = new StringBuilder(title.Length);
        foreach (char c in title)
        {
            if (@"\`*_{}[]<>#|".Contains(c, StringComparison.Ordinal))
                text.Append('\\');
            text.Append(char.IsControl(c) ? ' ' : c);
        }
        return text.ToString();
    }
}
