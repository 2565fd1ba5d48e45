namespace FastChat.Handshake;

/// <summary>Why a client's handshake failed (RFC 6455 section 4.1, the checks on the server's answer).</summary>
internal enum ClientHandshakeError
{
    None,
    /// <summary>The connection ended before the answer did.</summary>
    ConnectionEnded,
    /// <summary>The answer is not HTTP/1.1 as it should be, or larger than the limit.</summary>
    MalformedResponse,
    /// <summary>Interim answers (1xx) without end.</summary>
    TooManyInterimResponses,
    /// <summary>3xx: redirects are not followed, since the answer could send credentials anywhere.</summary>
    Redirected,
    /// <summary>Any other status than 101: 401, 403, 404, 426, 503...</summary>
    UnexpectedStatus,
    UpgradeMissing,
    ConnectionMissing,
    AcceptMissing,
    AcceptWrong,
    SubprotocolNotOffered,
    SubprotocolRepeated,
    ExtensionNotOffered,
}
