using System.Text.Json;

namespace FastChat.Chat.Dialects;

/// <summary>Seed 004 on a socket of its own: nothing but numeric codes. Where the host trusts it, each message may say whose it is.</summary>
internal sealed class CodesSocket(ChatEngine engine, IChatPeer peer, ChatSocketRequest request, IChatRateLimiter limiter)
    : ChatSocket(engine, peer, request, limiter)
{
    private protected override bool AllowsAnonymous => Request.TrustUserId;

    private protected override bool Knows(Verb verb) => false;

    private protected override ValueTask OnMessageAsync(Verb verb, Inbound message) =>
        throw new ChatException(ChatErrorCode.UnknownType, "Messages of this type are not known here.");

    private protected override void WriteError(Utf8JsonWriter json, ChatError error, Inbound? about) =>
        CodeRequests.WriteError(json, error, about);
}
