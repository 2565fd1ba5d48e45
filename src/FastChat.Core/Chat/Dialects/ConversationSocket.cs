using System.Text.Json;

namespace FastChat.Chat.Dialects;

/// <summary>
/// Seed 003: <c>{type: "message", content}</c> in, <c>{type: "response", content}</c> out, in one conversation that the first message
/// starts (or <c>conversation_id</c> in the URL goes on with). Errors are <c>{type: "error", content, detail, code}</c>.
/// </summary>
internal sealed class ConversationSocket(ChatEngine engine, IChatPeer peer, ChatSocketRequest request, IChatRateLimiter limiter)
    : ChatSocket(engine, peer, request, limiter)
{
    private string? _conversationId;

    private protected override bool Knows(Verb verb) => verb == Verb.Message;

    private protected override async ValueTask OnOpenAsync()
    {
        if (Request.SessionId is { Length: > 0 } id)
            _conversationId = (await Engine.Directory.GetConversationAsync(UserId, id, Closed)).Id;
    }

    private protected override async ValueTask OnMessageAsync(Verb verb, Inbound message)
    {
        var turn = new TurnRequest(UserId, message.Content ?? throw new ChatException(ChatErrorCode.BadRequest, "\"content\" is missing."))
        {
            ConversationId = _conversationId,
        };
        await Engine.SubmitAsync(turn, accepted =>
        {
            _conversationId = accepted.Turn.Conversation.Id;
            Replies.Add(accepted.Turn, ReplyAsync);
            return default;
        }, Closed);
    }

    private ValueTask ReplyAsync(ChatTurn turn, GenerationResult result) => result.Error is { } error
        ? SendErrorAsync(error, null)
        : SendAsync((turn, result), static (json, s) =>
        {
            json.WriteString("type"u8, "response"u8);
            json.WriteString("content"u8, s.result.Text);
            json.WriteString("conversation_id"u8, s.turn.Conversation.Id);
            json.WriteString("message_id"u8, s.turn.Answer.Id);
        });

    private protected override void WriteError(Utf8JsonWriter json, ChatError error, Inbound? about)
    {
        json.WriteString("type"u8, "error"u8);
        json.WriteString("content"u8, error.Message);
        json.WriteString("detail"u8, error.Message);
        WriteErrorDetails(json, error);
    }
}
