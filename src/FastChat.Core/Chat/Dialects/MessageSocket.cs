using System.Text.Json;

namespace FastChat.Chat.Dialects;

/// <summary>
/// Seed 001: <c>{message, session_id}</c> both ways. Without a <c>session_id</c> in the URL a conversation is made at once, and the first
/// message out is its <c>{session_id}</c>. Errors are <c>{error, code, session_id}</c>.
/// </summary>
internal sealed class MessageSocket(ChatEngine engine, IChatPeer peer, ChatSocketRequest request, IChatRateLimiter limiter)
    : ChatSocket(engine, peer, request, limiter)
{
    private string? _conversationId;

    private protected override bool AllowsUntyped => true;

    private protected override bool Knows(Verb verb) => false;

    private protected override async ValueTask OnOpenAsync()
    {
        if (Request.SessionId is { Length: > 0 } id)
        {
            _conversationId = (await Engine.Directory.GetConversationAsync(UserId, id, Closed)).Id;
            return;
        }
        // It leaves a conversation behind: whoever opens and leaves again and again must not fill the store.
        if (await LimitAsync(UserId) is { } refused)
            throw new ChatException(refused);
        _conversationId = (await Engine.Directory.CreateConversationAsync(UserId, null, Closed)).Id;
        await SendAsync(_conversationId, static (json, id) => json.WriteString("session_id"u8, id));
    }

    private protected override async ValueTask OnMessageAsync(Verb verb, Inbound message)
    {
        var turn = new TurnRequest(UserId, message.Message ?? throw new ChatException(ChatErrorCode.BadRequest, "\"message\" is missing."))
        {
            ConversationId = message.SessionId is { Length: > 0 } id ? id : _conversationId,
        };
        await Engine.SubmitAsync(turn, accepted =>
        {
            Replies.Add(accepted.Turn, ReplyAsync);
            return default;
        }, Closed);
    }

    private ValueTask ReplyAsync(ChatTurn turn, GenerationResult result) => SendAsync((turn, result), static (json, s) =>
    {
        json.WriteString(s.result.Error is null ? "message"u8 : "error"u8, s.result.Error?.Message ?? s.result.Text);
        if (s.result.Error is { } error)
            WriteErrorDetails(json, error);
        json.WriteString("session_id"u8, s.turn.Conversation.Id);
    });

    private protected override void WriteError(Utf8JsonWriter json, ChatError error, Inbound? about)
    {
        json.WriteString("error"u8, error.Message);
        WriteErrorDetails(json, error);
        if ((about?.SessionId ?? _conversationId) is { } id)
            json.WriteString("session_id"u8, id);
    }
}
