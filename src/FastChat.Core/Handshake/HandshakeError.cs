namespace FastChat.Handshake;

/// <summary>
/// The rule that a request head (or, for the first groups, a response head) broke. <see cref="HandshakeErrors"/> maps each to a status
/// and a sentence.
/// </summary>
internal enum HandshakeError
{
    None,

    // Size: RFC 9110 section 15.5.15, RFC 6585 section 5.
    RequestLineTooLong,
    HeadTooLong,
    TooManyFields,

    // Start line: RFC 9112 sections 2.2, 2.3, 3 and 4.
    NotHttp,
    BareLineFeed,
    RequestLine,
    Method,
    Target,
    StatusLine,
    HttpVersion,
    HttpVersionNotSupported,

    // Field lines: RFC 9112 section 5, RFC 9110 section 5.
    FieldFolded,
    FieldWithoutColon,
    SpaceBeforeColon,
    FieldName,
    FieldValue,
    BareCarriageReturn,

    // What the fields say of the request as a whole: RFC 9112 sections 3.2 and 6.
    HostMissing,
    HostRepeated,
    HostInvalid,
    ContentLength,
    ContentLengthAndTransferEncoding,
    TransferEncoding,

    // The upgrade: RFC 6455 sections 4.2.1 and 4.4.
    UpgradeRequired,
    UpgradeMethod,
    UpgradeHttpVersion,
    UpgradeBody,
    ConnectionWithoutUpgrade,
    WebSocketVersionMissing,
    WebSocketVersionRepeated,
    WebSocketVersionNotSupported,
    KeyMissing,
    KeyRepeated,
    KeyInvalid,
    SubprotocolInvalid,
    ExtensionsInvalid,
    OriginRepeated,
    OriginNotAllowed,

    // What only the server around the handshake can know.
    PathNotFound,
    HeadTimeout,
    ServerBusy,
}
