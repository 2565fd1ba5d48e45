using System.Buffers;
using System.Text.Json;

namespace FastChat.Chat.Dialects;

/// <summary>The fields of an incoming message that any dialect knows; null for those that are absent or null. Others are skipped.</summary>
internal sealed class Inbound
{
    public string? Message { get; private set; }

    public string? Content { get; private set; }

    public string? SessionId { get; private set; }

    public string? MessageType { get; private set; }

    public string? ClientMessageId { get; private set; }

    public string? MessageId { get; private set; }

    public int LastSeq { get; private set; }

    /// <summary>The integer <c>type</c>; null where there is none.</summary>
    public int? Code { get; init; }

    /// <summary>True when it came as bare text.</summary>
    public bool IsText { get; private init; }

    public bool HasData { get; private set; }

    // Of seed 004's `data`, where `message` and `session_id` stand too.
    public string? UserId { get; private set; }

    public int? ModelId { get; private set; }

    public string? SessionPrompt { get; private set; }

    public string? FileName { get; private set; }

    public int? Limit { get; private set; }

    public string? Before { get; private set; }

    public static Inbound FromText(string text) => new() { Message = text, IsText = true };

    /// <summary>A message of which no more is known than its code.</summary>
    public static Inbound Empty(int? code) => new() { Code = code };

    /// <summary>Reads a message that is known to be one valid JSON object.</summary>
    /// <returns>What is wrong with a field; null when nothing is.</returns>
    public static ChatError? TryRead(in ReadOnlySequence<byte> json, int? code, out Inbound message)
    {
        message = new Inbound { Code = code };
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 1000 });
        try
        {
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool isData = code is not null && reader.ValueTextEquals("data"u8);
                if (isData && PeekObject(ref reader))
                    message.ReadData(ref reader);
                else if (isData)
                    throw new FieldException("data", "an object");
                else if (code is null)
                    message.ReadField(ref reader);
                else
                    Skip(ref reader);
            }
            return null;
        }
        catch (FieldException e)
        {
            return new ChatError(ChatErrorCode.BadRequest, e.Message);
        }
        catch (Exception e) when (e is InvalidOperationException or JsonException)
        {
            return new ChatError(ChatErrorCode.BadJson, "The message is not valid JSON.");
        }
    }

    private void ReadData(ref Utf8JsonReader reader)
    {
        HasData = true;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("user_id"u8)) UserId = ReadString(ref reader, "user_id");
            else if (reader.ValueTextEquals("session_id"u8)) SessionId = ReadString(ref reader, "session_id");
            else if (reader.ValueTextEquals("model_id"u8)) ModelId = ReadNumber(ref reader, "model_id");
            else if (reader.ValueTextEquals("message"u8)) Message = ReadString(ref reader, "message");
            else if (reader.ValueTextEquals("session_prompt"u8)) SessionPrompt = ReadString(ref reader, "session_prompt");
            else if (reader.ValueTextEquals("file_name"u8)) FileName = ReadString(ref reader, "file_name");
            else if (reader.ValueTextEquals("limit"u8)) Limit = ReadNumber(ref reader, "limit");
            else if (reader.ValueTextEquals("before"u8)) Before = ReadString(ref reader, "before");
            else Skip(ref reader);
        }
    }

    private void ReadField(ref Utf8JsonReader reader)
    {
        if (reader.ValueTextEquals("message"u8)) Message = ReadString(ref reader, "message");
        else if (reader.ValueTextEquals("content"u8)) Content = ReadString(ref reader, "content");
        else if (reader.ValueTextEquals("session_id"u8)) SessionId = ReadString(ref reader, "session_id");
        else if (reader.ValueTextEquals("message_type"u8)) MessageType = ReadString(ref reader, "message_type");
        else if (reader.ValueTextEquals("client_message_id"u8)) ClientMessageId = ReadString(ref reader, "client_message_id");
        else if (reader.ValueTextEquals("message_id"u8)) MessageId = ReadString(ref reader, "message_id");
        else if (reader.ValueTextEquals("last_seq"u8)) LastSeq = ReadNumber(ref reader, "last_seq") ?? 0;
        else Skip(ref reader);
    }

    private static bool PeekObject(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.StartObject;
    }

    private static void Skip(ref Utf8JsonReader reader)
    {
        reader.Read();
        reader.Skip();
    }

    private static string? ReadString(ref Utf8JsonReader reader, string name)
    {
        reader.Read();
        return reader.TokenType switch
        {
            JsonTokenType.String => reader.GetString(),
            JsonTokenType.Null => null,
            _ => throw new FieldException(name, "a string"),
        };
    }

    private static int? ReadNumber(ref Utf8JsonReader reader, string name)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null)
            return null;
        return reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out int value) && value >= 0
            ? value : throw new FieldException(name, "a whole number, 0 or more");
    }

    private sealed class FieldException(string name, string kind) : Exception($"\"{name}\" must be {kind}.");
}
