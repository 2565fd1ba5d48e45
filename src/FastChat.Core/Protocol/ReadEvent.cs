namespace FastChat.Protocol;

/// <summary>What <see cref="MessageReader.Read"/> found.</summary>
internal enum ReadEvent : byte
{
    /// <summary>Nothing more in what was given; call again with what is left of it and more.</summary>
    NeedMore,
    /// <summary>A whole message, unmasked, inflated and, if text, valid.</summary>
    Message,
    Ping,
    Pong,
    Close,
    /// <summary>The peer broke a rule: fail the connection.</summary>
    Error,
}
