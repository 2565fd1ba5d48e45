using System.Text.Json;

namespace FastChat.LoadTests.Wire;

/// <summary>What the server says on a session's socket (docs/protocol.md).</summary>
internal enum FrameKind
{
    /// <summary>None of those below.</summary>
    Other,
    SessionInfo,
    MessageReceived,
    UserMessage,
    ResponseStart,
    ResponseChunk,
    ResponseComplete,
    Error,
    /// <summary>A reply to an integer <c>type</c>.</summary>
    Code,
}

/// <summary>A message of the server, read without a document. What it points to lies in the message, or in this thread's scratch memory until the next is read.</summary>
internal ref struct ServerFrame
{
    [ThreadStatic]
    private static byte[]? Scratch;

    public FrameKind Kind;
    public int Seq;
    public bool Repeated;
    public ReadOnlySpan<byte> MessageId;
    public ReadOnlySpan<byte> ResponseId;
    public ReadOnlySpan<byte> ClientMessageId;
    public ReadOnlySpan<byte> FinishReason;

    /// <summary>An error's code.</summary>
    public ReadOnlySpan<byte> Code;

    /// <summary>The text of a chunk, of a whole answer, or of an error.</summary>
    public ReadOnlySpan<byte> Text;

    /// <exception cref="JsonException">Not one JSON object.</exception>
    public static ServerFrame Read(ReadOnlySpan<byte> utf8)
    {
        var frame = new ServerFrame();
        var reader = new Utf8JsonReader(utf8);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new JsonException("A message is not an object.");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = FieldOf(reader.ValueSpan);
            reader.Read();
            if (field == Field.Other || reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray) reader.Skip();
            else frame.Set(field, ref reader);
        }
        return frame;
    }

    private void Set(Field field, scoped ref Utf8JsonReader reader)
    {
        switch (field)
        {
            case Field.Type:
                Kind = reader.TokenType == JsonTokenType.Number ? FrameKind.Code : KindOf(reader.ValueSpan);
                break;
            case Field.Seq:
                Seq = reader.GetInt32();
                break;
            case Field.Repeated:
                Repeated = reader.TokenType == JsonTokenType.True;
                break;
            case Field.Text:
                Text = Unescape(ref reader);
                break;
            case Field.MessageId:
                MessageId = reader.ValueSpan;
                break;
            case Field.ResponseId:
                ResponseId = reader.ValueSpan;
                break;
            case Field.ClientMessageId:
                ClientMessageId = reader.ValueSpan;
                break;
            case Field.FinishReason:
                FinishReason = reader.ValueSpan;
                break;
            default:
                Code = reader.ValueSpan;
                break;
        }
    }

    private static ReadOnlySpan<byte> Unescape(scoped ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped) return reader.ValueSpan;
        if (Scratch is null || Scratch.Length < reader.ValueSpan.Length) Scratch = new byte[Math.Max(4096, 2 * reader.ValueSpan.Length)];
        return Scratch.AsSpan(0, reader.CopyString(Scratch));
    }

    private static FrameKind KindOf(ReadOnlySpan<byte> type) =>
        type.SequenceEqual("response_chunk"u8) ? FrameKind.ResponseChunk
        : type.SequenceEqual("response_start"u8) ? FrameKind.ResponseStart
        : type.SequenceEqual("response_complete"u8) ? FrameKind.ResponseComplete
        : type.SequenceEqual("message_received"u8) ? FrameKind.MessageReceived
        : type.SequenceEqual("user_message"u8) ? FrameKind.UserMessage
        : type.SequenceEqual("session_info"u8) ? FrameKind.SessionInfo
        : type.SequenceEqual("error"u8) ? FrameKind.Error
        : FrameKind.Other;

    private static Field FieldOf(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("type"u8) ? Field.Type
        : name.SequenceEqual("chunk"u8) || name.SequenceEqual("full_response"u8) || name.SequenceEqual("message"u8) ? Field.Text
        : name.SequenceEqual("message_id"u8) ? Field.MessageId
        : name.SequenceEqual("seq"u8) ? Field.Seq
        : name.SequenceEqual("response_id"u8) ? Field.ResponseId
        : name.SequenceEqual("client_message_id"u8) ? Field.ClientMessageId
        : name.SequenceEqual("finish_reason"u8) ? Field.FinishReason
        : name.SequenceEqual("repeated"u8) ? Field.Repeated
        : name.SequenceEqual("code"u8) ? Field.Code
        : Field.Other;

    private enum Field
    {
        Other,
        Type,
        Text,
        MessageId,
        Seq,
        ResponseId,
        ClientMessageId,
        FinishReason,
        Repeated,
        Code,
    }
}
