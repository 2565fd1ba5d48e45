namespace FastChat.Handshake;

/// <summary>The one place where a broken rule becomes an HTTP status and a sentence.</summary>
internal static class HandshakeErrors
{
    /// <summary>The status of the answer to a request that broke the rule.</summary>
    public static int Status(this HandshakeError error) => error switch
    {
        HandshakeError.OriginNotAllowed => 403,
        HandshakeError.PathNotFound => 404,
        HandshakeError.UpgradeMethod => 405,
        HandshakeError.HeadTimeout => 408,
        HandshakeError.RequestLineTooLong => 414,
        HandshakeError.UpgradeRequired or HandshakeError.WebSocketVersionNotSupported => 426,
        HandshakeError.HeadTooLong or HandshakeError.TooManyFields => 431,
        HandshakeError.TransferEncoding => 501,
        HandshakeError.ServerBusy => 503,
        HandshakeError.HttpVersionNotSupported or HandshakeError.UpgradeHttpVersion => 505,
        _ => 400,
    };

    /// <summary>What is wrong, in ASCII, for the body of the answer and for logs; nothing of the peer's bytes is in it.</summary>
    public static string Sentence(this HandshakeError error) => error switch
    {
        HandshakeError.RequestLineTooLong => "The request line is longer than the limit.",
        HandshakeError.HeadTooLong => "The head is longer than the limit.",
        HandshakeError.TooManyFields => "The head has more header lines than the limit.",
        HandshakeError.NotHttp => "This does not begin like HTTP.",
        HandshakeError.BareLineFeed => "A line ends with LF alone; lines end with CR LF.",
        HandshakeError.RequestLine => "The request line is not a method, a target and a version.",
        HandshakeError.Method => "The method is not a token.",
        HandshakeError.Target => "The request target is malformed.",
        HandshakeError.StatusLine => "The status line is not a version, a status of three digits and a reason.",
        HandshakeError.HttpVersion => "The HTTP version is malformed.",
        HandshakeError.HttpVersionNotSupported => "This is not a version of HTTP/1.",
        HandshakeError.FieldFolded => "A header line begins with white space; folded headers are obsolete.",
        HandshakeError.FieldWithoutColon => "A header line has no colon.",
        HandshakeError.SpaceBeforeColon => "White space stands between a header's name and its colon.",
        HandshakeError.FieldName => "A header's name is not a token.",
        HandshakeError.FieldValue => "A header's value has a control character.",
        HandshakeError.BareCarriageReturn => "A CR stands without its LF.",
        HandshakeError.HostMissing => "The Host header is missing.",
        HandshakeError.HostRepeated => "There is more than one Host header.",
        HandshakeError.HostInvalid => "The Host header is not a host with an optional port.",
        HandshakeError.ContentLength => "Content-Length is not one number.",
        HandshakeError.ContentLengthAndTransferEncoding => "There is both Content-Length and Transfer-Encoding.",
        HandshakeError.TransferEncoding => "Transfer-Encoding is not chunked.",
        HandshakeError.UpgradeRequired => "This is a WebSocket endpoint: the request must upgrade to websocket.",
        HandshakeError.UpgradeMethod => "A WebSocket handshake is a GET.",
        HandshakeError.UpgradeHttpVersion => "A WebSocket handshake needs HTTP/1.1.",
        HandshakeError.UpgradeBody => "A WebSocket handshake has no body.",
        HandshakeError.ConnectionWithoutUpgrade => "The Connection header does not name Upgrade.",
        HandshakeError.WebSocketVersionMissing => "Sec-WebSocket-Version is missing.",
        HandshakeError.WebSocketVersionRepeated => "There is more than one Sec-WebSocket-Version.",
        HandshakeError.WebSocketVersionNotSupported => "The WebSocket version is not 13.",
        HandshakeError.KeyMissing => "Sec-WebSocket-Key is missing.",
        HandshakeError.KeyRepeated => "There is more than one Sec-WebSocket-Key.",
        HandshakeError.KeyInvalid => "Sec-WebSocket-Key is not 16 octets in base64.",
        HandshakeError.ExtensionsInvalid => "Sec-WebSocket-Extensions does not parse.",
        HandshakeError.SubprotocolInvalid => "Sec-WebSocket-Protocol is not a list of tokens.",
        HandshakeError.OriginRepeated => "There is more than one Origin header.",
        HandshakeError.OriginNotAllowed => "Connections from this origin are not allowed.",
        HandshakeError.PathNotFound => "Nothing is here.",
        HandshakeError.HeadTimeout => "The head took too long to arrive.",
        HandshakeError.ServerBusy => "The server takes no more connections now.",
        _ => "The request is malformed.",
    };

    /// <summary>The reason phrase of a status (RFC 9110 section 15).</summary>
    public static string ReasonPhrase(int status) => status switch
    {
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        414 => "URI Too Long",
        421 => "Misdirected Request",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        >= 500 => "Server Error",
        >= 400 => "Client Error",
        _ => "Redirect",
    };
}
