namespace FastChat.Protocol;

/// <summary>What a frame carries (RFC 6455 section 5.2). Values 3 to 7 and 11 to 15 are reserved and refused.</summary>
public enum Opcode : byte
{
    /// <summary>A further fragment of the message begun before.</summary>
    Continuation = 0x0,
    /// <summary>UTF-8 text.</summary>
    Text = 0x1,
    /// <summary>Bytes.</summary>
    Binary = 0x2,
    /// <summary>The closing handshake (section 5.5.1).</summary>
    Close = 0x8,
    /// <summary>A question that wants a pong (section 5.5.2).</summary>
    Ping = 0x9,
    /// <summary>The answer to a ping, or an unsolicited heartbeat (section 5.5.3).</summary>
    Pong = 0xA,
}
