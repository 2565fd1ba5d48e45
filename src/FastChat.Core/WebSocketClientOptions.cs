using System.Buffers;
using System.Net.Security;
using FastChat.Connections;
using FastChat.Protocol.Compression;
using FastChat.Transport;
using Microsoft.Extensions.Logging;

namespace FastChat;

/// <summary>What a <see cref="WebSocketClient"/> connects with. Not to be changed once the client has been made.</summary>
public sealed class WebSocketClientOptions
{
    private TimeSpan _connectTimeout = TimeSpan.FromSeconds(15);

    /// <summary>The limits of each connection.</summary>
    public WebSocketLimits Limits { get; set; } = new();

    /// <summary>How long connecting, TLS and the handshake may take together. Default 15 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive, or more than an hour.</exception>
    public TimeSpan ConnectTimeout
    {
        get => _connectTimeout;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromHours(1));
            _connectTimeout = value;
        }
    }

    /// <summary>Headers to send along, Authorization say; the handshake's own cannot be set.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; set; } = [];

    /// <summary>Subprotocols to ask for, the best first.</summary>
    public IReadOnlyList<string> Subprotocols { get; set; } = [];

    /// <summary>permessage-deflate to offer; null, the default, offers none.</summary>
    public PerMessageDeflateOptions? Compression { get; set; }

    /// <summary>Called for each wss connection with TLS settings that hold the host name: certificates to trust or to present, protocols.</summary>
    public Action<SslClientAuthenticationOptions>? ConfigureTls { get; set; }

    /// <summary>What to log with; category "FastChat".</summary>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>The clock of timeouts and keep-alive.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    internal ArrayPool<byte> Pool { get; set; } = ArrayPool<byte>.Shared;

    /// <summary>Connects some other way (tests: in memory); null for TCP, and TLS where the URI is wss.</summary>
    internal Func<Uri, CancellationToken, ValueTask<TransportConnection>>? Connect { get; set; }
}
