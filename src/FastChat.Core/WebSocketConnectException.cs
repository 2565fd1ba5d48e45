namespace FastChat;

/// <summary>A connection could not be opened: the network, TLS, or the server's answer to the handshake.</summary>
public sealed class WebSocketConnectException : IOException
{
    internal WebSocketConnectException(string message, int statusCode = 0, Exception? innerException = null) : base(message, innerException) => StatusCode = statusCode;

    /// <summary>The HTTP status the server answered with; 0 where there was no proper answer.</summary>
    public int StatusCode { get; }
}
