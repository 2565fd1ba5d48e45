namespace FastChat.Protocol;

/// <summary>Why a connection is closed (RFC 6455 section 7.4.1 and the IANA registry); 3000 to 4999 are free for libraries and applications.</summary>
public enum CloseCode
{
    /// <summary>No code: nothing was said yet.</summary>
    None = 0,
    /// <summary>1000: done.</summary>
    NormalClosure = 1000,
    /// <summary>1001: the server goes down, or the page was left.</summary>
    GoingAway = 1001,
    /// <summary>1002: the peer broke the protocol.</summary>
    ProtocolError = 1002,
    /// <summary>1003: a kind of data that is not accepted here.</summary>
    UnsupportedData = 1003,
    /// <summary>1005: the close frame had no code. Never sent.</summary>
    NoStatusReceived = 1005,
    /// <summary>1006: the connection ended without a close frame. Never sent.</summary>
    AbnormalClosure = 1006,
    /// <summary>1007: text that is not UTF-8, or data that do not inflate.</summary>
    InvalidPayloadData = 1007,
    /// <summary>1008: against a policy of this end.</summary>
    PolicyViolation = 1008,
    /// <summary>1009: larger than the limit.</summary>
    MessageTooBig = 1009,
    /// <summary>1010: the client wanted an extension that the server did not negotiate.</summary>
    MandatoryExtension = 1010,
    /// <summary>1011: an unexpected failure of this end.</summary>
    InternalError = 1011,
    /// <summary>1012: the service restarts.</summary>
    ServiceRestart = 1012,
    /// <summary>1013: overloaded, try again later.</summary>
    TryAgainLater = 1013,
    /// <summary>1014: a gateway got an invalid answer.</summary>
    BadGateway = 1014,
}
