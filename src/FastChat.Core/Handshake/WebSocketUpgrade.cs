using System.Buffers;

namespace FastChat.Handshake;

/// <summary>What a request is to a WebSocket server.</summary>
internal enum UpgradeVerdict
{
    /// <summary>It does not ask for websocket: plain HTTP, for somebody else to answer (or 426).</summary>
    NotAnUpgrade,
    /// <summary>A proper handshake.</summary>
    Accepted,
    /// <summary>It asks for websocket, but wrongly.</summary>
    Refused,
}

/// <summary>The server's side of the handshake (RFC 6455 section 4.2.1): every rule is a branch here.</summary>
internal static class WebSocketUpgrade
{
    private static readonly SearchValues<byte> Base64Digits =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"u8);

    /// <param name="head">A complete, valid head.</param>
    /// <param name="rules">What is wanted beyond the RFC.</param>
    /// <param name="error">The rule broken where it is refused; UpgradeRequired where it is no upgrade.</param>
    /// <param name="subprotocol">The subprotocol chosen; null where there is none in common, which is no reason to refuse.</param>
    public static UpgradeVerdict Validate(HttpRequestHead head, UpgradeRules rules, out HandshakeError error, out string? subprotocol)
    {
        subprotocol = null;
        error = HandshakeError.UpgradeRequired;
        // 4.2.1 item 3; a list, as RFC 9110 section 7.8 has it.
        if (!head.ListContains("upgrade"u8, "websocket"u8)) return UpgradeVerdict.NotAnUpgrade;
        error = Check(head);
        if (error == HandshakeError.None) error = CheckOrigin(head, rules.Origins);
        if (error != HandshakeError.None) return UpgradeVerdict.Refused;
        subprotocol = rules.SelectSubprotocol(head);
        return UpgradeVerdict.Accepted;
    }

    private static HandshakeError Check(HttpRequestHead head)
    {
        // Item 1: "an HTTP/1.1 or higher GET request".
        if (!head.Method.SequenceEqual("GET"u8)) return HandshakeError.UpgradeMethod;
        if (!head.IsHttp11) return HandshakeError.UpgradeHttpVersion;
        // What follows the head are frames; a body in front of them would be taken for some.
        if (head.HasBody) return HandshakeError.UpgradeBody;
        // Item 4.
        if (!head.ListContains("connection"u8, "upgrade"u8)) return HandshakeError.ConnectionWithoutUpgrade;
        // Item 6, and section 4.4; the field appears once (section 11.3.5).
        int versions = head.Count("sec-websocket-version"u8, out var version);
        if (versions == 0) return HandshakeError.WebSocketVersionMissing;
        if (versions > 1) return HandshakeError.WebSocketVersionRepeated;
        if (!version.SequenceEqual("13"u8)) return HandshakeError.WebSocketVersionNotSupported;
        // Item 5; the field appears once (section 11.3.1).
        int keys = head.Count("sec-websocket-key"u8, out var key);
        if (keys == 0) return HandshakeError.KeyMissing;
        if (keys > 1) return HandshakeError.KeyRepeated;
        if (!IsKey(key)) return HandshakeError.KeyInvalid;
        // Item 8: tokens (section 4.1 item 10).
        foreach (var offered in head.List("sec-websocket-protocol"u8))
            if (!HttpSyntax.IsToken(offered)) return HandshakeError.SubprotocolInvalid;
        return HandshakeError.None;
    }

    private static HandshakeError CheckOrigin(HttpRequestHead head, OriginPolicy? policy)
    {
        int origins = head.Count("origin"u8, out var origin);
        if (origins > 1) return HandshakeError.OriginRepeated;
        if (policy is null || origins == 0) return HandshakeError.None;
        return policy.Allows(origin) ? HandshakeError.None : HandshakeError.OriginNotAllowed;
    }

    /// <summary>
    /// "A base64-encoded value that, when decoded, is 16 bytes in length": 22 digits and the padding. The four bits left over in the last
    /// digit ought to be zero, but a client that picks 22 digits at random harms nobody (RFC 4648 section 3.5 leaves it open).
    /// </summary>
    internal static bool IsKey(ReadOnlySpan<byte> key) =>
        key.Length == AcceptKey.KeyLength && key.EndsWith("=="u8) && !key[..^2].ContainsAnyExcept(Base64Digits);
}
