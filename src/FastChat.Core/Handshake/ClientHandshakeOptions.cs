namespace FastChat.Handshake;

/// <summary>What a client asks for beside the URI. Immutable.</summary>
internal sealed class ClientHandshakeOptions
{
    /// <exception cref="ArgumentException">A subprotocol is no token or comes twice; a header would break its line or belongs to the handshake.</exception>
    public ClientHandshakeOptions(IEnumerable<string>? subprotocols = null, string? extensions = null,
        IEnumerable<KeyValuePair<string, string>>? headers = null, HttpHeadLimits? limits = null)
    {
        Subprotocols = [.. subprotocols ?? []];
        SubprotocolNames.Check(Subprotocols, nameof(subprotocols));
        Extensions = string.IsNullOrEmpty(extensions) ? null : extensions;
        if (Extensions is not null) HeaderRules.CheckValue("Sec-WebSocket-Extensions", Extensions, nameof(extensions));
        Headers = [.. headers ?? []];
        HeaderRules.Check(Headers, nameof(headers));
        Limits = limits ?? HttpHeadLimits.Default;
    }

    public static ClientHandshakeOptions None { get; } = new();

    /// <summary>In order of preference; empty asks for none.</summary>
    public IReadOnlyList<string> Subprotocols { get; }

    /// <summary>The offers as the value of Sec-WebSocket-Extensions; null offers none.</summary>
    public string? Extensions { get; }

    /// <summary>Further headers, in order: Authorization, Cookie, Origin.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; }

    /// <summary>On the server's answer.</summary>
    public HttpHeadLimits Limits { get; }
}
