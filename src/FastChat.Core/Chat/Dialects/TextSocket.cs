using System.Buffers;
using System.Text;
using System.Text.Json;

namespace FastChat.Chat.Dialects;

/// <summary>
/// Seed 000: one conversation a socket, given by <c>session_id</c> or started by the first message. Text is answered with text, and
/// <c>{message}</c> with <c>{message, session_id}</c>; errors are <c>{error, code}</c>.
/// </summary>
internal sealed class TextSocket(ChatEngine engine, IChatPeer peer, ChatSocketRequest request, IChatRateLimiter limiter)
    : ChatSocket(engine, peer, request, limiter)
{
    private string? _conversationId;

    private protected override bool AllowsUntyped => true;

    private protected override bool Knows(Verb verb) => false;

    private protected override async ValueTask OnOpenAsync()
    {
        if (Request.SessionId is { Length: > 0 } id)
            _conversationId = (await Engine.Directory.GetConversationAsync(UserId, id, Closed)).Id;
    }

    private protected override bool TryReadText(in ReadOnlySequence<byte> message, out Inbound text)
    {
        text = null!;
        var reader = new SequenceReader<byte>(message);
        reader.AdvancePastAny(" \t\r\n"u8);
        // What begins like an object is one: a front end that speaks JSON wants to hear that its JSON is broken.
        if (reader.TryPeek(out byte first) && first == '{')
            return false;
        text = Inbound.FromText(Encoding.UTF8.GetString(message));
        return true;
    }

    private protected override async ValueTask OnMessageAsync(Verb verb, Inbound message)
    {
        bool asText = message.IsText;
        var turn = new TurnRequest(UserId, message.Message ?? throw new ChatException(ChatErrorCode.BadRequest, "\"message\" is missing."))
        {
            ConversationId = _conversationId,
        };
        await Engine.SubmitAsync(turn, accepted =>
        {
            _conversationId = accepted.Turn.Conversation.Id;
            Replies.Add(accepted.Turn, (t, result) => ReplyAsync(t, result, asText));
            return default;
        }, Closed);
    }

    private async ValueTask ReplyAsync(ChatTurn turn, GenerationResult result, bool asText)
    {
        if (result.Error is { } error)
        {
            await SendErrorAsync(error, null);
            return;
        }
        if (!asText)
        {
            await SendAsync((turn, result), static (json, s) =>
            {
                json.WriteString("message"u8, s.result.Text);
                json.WriteString("session_id"u8, s.turn.Conversation.Id);
            });
            return;
        }
        using var frame = Engine.Frames.Rent();
        frame.WriteText(result.Text);
        await SendAsync(frame);
    }

    private protected override void WriteError(Utf8JsonWriter json, ChatError error, Inbound? about)
    {
        json.WriteString("error"u8, error.Message);
        WriteErrorDetails(json, error);
    }
}
