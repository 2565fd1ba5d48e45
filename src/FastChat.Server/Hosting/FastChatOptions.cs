using FastChat.Chat;
using FastChat.Connections;
using FastChat.Server.Auth;
using FastChat.Server.Auth.RateLimits;
using FastChat.Server.Configuration;

namespace FastChat.Server.Hosting;

/// <summary>What a FastChat server is made of. Every limit is finite. Read once, when the application is built.</summary>
public sealed class FastChatOptions
{
    /// <summary>Directory of the store and the signing keys; made where needed.</summary>
    public string DataDirectory { get; set; } = "data";

    /// <summary>Name of the store: <c>sqlite</c>, or another one that this build has.</summary>
    public string Store { get; set; } = "sqlite";

    /// <summary>Who is let in.</summary>
    public AuthOptions Auth { get; set; } = new();

    /// <summary>How much one user may ask for.</summary>
    public RateLimitOptions RateLimits { get; set; } = new();

    /// <summary>Limits of the chat (section <c>Chat</c>).</summary>
    public ChatEngineOptions Chat { get; } = new();

    /// <summary>Limits of each socket (section <c>Sockets</c>).</summary>
    public WebSocketLimits Sockets { get; } = new();

    /// <summary>Whether permessage-deflate is agreed to. Off unless set: chunks are too short to gain much.</summary>
    public bool Compression { get; set; }

    /// <summary>Sockets at one time; 15,000 unless set.</summary>
    public int MaxConnections { get; set; } = 15_000;

    /// <summary>The same for each remote address; 15,000 unless set, since behind a proxy all come from one.</summary>
    public int MaxConnectionsPerAddress { get; set; } = 15_000;

    /// <summary>How long a peer may take to send its request's head; 10 s unless set.</summary>
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Web origins whose pages may open sockets and read responses, <c>https://app.example.com</c> say; null, unless set, for all: what a
    /// page may do, its token says.
    /// </summary>
    public IReadOnlyList<string>? AllowedOrigins { get; set; }

    /// <summary>Bytes of a JSON body, 1 KiB to 64 MiB; 1 MiB unless set.</summary>
    public int MaxBodyBytes { get; set; } = 1 << 20;

    /// <summary>Bytes of an uploaded document, 1 KiB to 1 GiB; 10 MiB unless set.</summary>
    public int MaxDocumentBytes { get; set; } = 10 << 20;

    /// <summary>Whether the page is served at <c>/</c>.</summary>
    public bool Page { get; set; } = true;

    /// <summary>
    /// Whether <c>POST /auth/dev-token</c> gives a token to whoever asks on this machine, which is how the page signs in. Null, unless set,
    /// means on while the server listens on loopback; on a public address it is never on.
    /// </summary>
    public bool? DevTokens { get; set; }

    /// <summary>How long running answers may go on when the server is told to stop; 20 s unless set.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>Where a collector takes OTLP over HTTP (<c>Telemetry:OtlpEndpoint</c>); null for none. Only the server's own host exports.</summary>
    public Uri? OtlpEndpoint { get; set; }

    /// <summary>Whether a user id alone identifies; what the host decided by where it listens.</summary>
    internal UserIdTrust UserIdTrust { get; set; } = UserIdTrust.Never;

    /// <summary>Whether tokens for development are given; what the host decided by where it listens.</summary>
    internal bool GivesDevTokens { get; set; }

    /// <summary>Reads what is the server's own; auth, rate limits and data are read by whoever else needs them.</summary>
    internal static FastChatOptions Read(SettingsReader settings)
    {
        var options = new FastChatOptions();
        var origins = settings.TextList(nameof(AllowedOrigins));
        options.AllowedOrigins = origins.Count > 0 ? origins : null;
        options.Page = settings.Flag(nameof(Page)) ?? options.Page;
        options.DevTokens = settings.Flag(nameof(DevTokens));
        options.DrainTimeout = settings.Duration(nameof(DrainTimeout), options.DrainTimeout);
        var telemetry = settings.Section("Telemetry");
        options.OtlpEndpoint = telemetry.Address(nameof(OtlpEndpoint));
        telemetry.RefuseUnknown();
        var limits = settings.Section("Limits");
        options.MaxConnections = limits.Number(nameof(MaxConnections), options.MaxConnections);
        options.MaxConnectionsPerAddress = limits.Number(nameof(MaxConnectionsPerAddress), options.MaxConnectionsPerAddress);
        options.MaxBodyBytes = limits.Number(nameof(MaxBodyBytes), options.MaxBodyBytes);
        options.MaxDocumentBytes = limits.Number(nameof(MaxDocumentBytes), options.MaxDocumentBytes);
        options.HandshakeTimeout = limits.Duration(nameof(HandshakeTimeout), options.HandshakeTimeout);
        limits.RefuseUnknown();
        ReadSockets(settings.Section("Sockets"), options);
        ReadChat(settings.Section("Chat"), options.Chat);
        return options;
    }

    /// <summary>Says what is wrong with these values: one sentence for each mistake, none when all is well.</summary>
    public IEnumerable<string> Validate()
    {
        if (MaxConnections is < 1 or > 10_000_000 || MaxConnectionsPerAddress is < 1 or > 10_000_000)
            yield return "Limits:MaxConnections and Limits:MaxConnectionsPerAddress must be between 1 and 10000000.";
        if (MaxBodyBytes is < 1 << 10 or > 64 << 20)
            yield return "Limits:MaxBodyBytes must be between 1024 and 67108864.";
        if (MaxDocumentBytes is < 1 << 10 or > 1 << 30)
            yield return "Limits:MaxDocumentBytes must be between 1024 and 1073741824.";
        if (HandshakeTimeout < TimeSpan.FromSeconds(1) || HandshakeTimeout > TimeSpan.FromHours(1))
            yield return "Limits:HandshakeTimeout must be between 1s and 1h.";
        if (OtlpEndpoint is { Scheme: not ("http" or "https") })
            yield return "Telemetry:OtlpEndpoint must be an http or https address.";
        if (DrainTimeout < TimeSpan.Zero || DrainTimeout > TimeSpan.FromHours(1))
            yield return "DrainTimeout must be between 0s and 1h.";
        string? origin = null;
        try
        {
            _ = new AllowedOrigins(AllowedOrigins);
        }
        catch (FormatException e)
        {
            origin = $"AllowedOrigins: {e.Message}";
        }
        if (origin is not null)
            yield return origin;
    }

    private static void ReadSockets(SettingsReader section, FastChatOptions options)
    {
        var limits = options.Sockets;
        options.Compression = section.Flag(nameof(Compression)) ?? options.Compression;
        Number(section, "MaxMessageBytes", (int)limits.MaxMessageBytes, v => limits.MaxFrameBytes = limits.MaxMessageBytes = v);
        Number(section, "SendQueueBytes", (int)limits.SendQueueBytes, v => limits.SendQueueBytes = v);
        Time(section, "PingInterval", limits.PingInterval, v => limits.PingInterval = v);
        Time(section, "PongTimeout", limits.PongTimeout, v => limits.PongTimeout = v);
        Time(section, "CloseTimeout", limits.CloseTimeout, v => limits.CloseTimeout = v);
        section.RefuseUnknown();
    }

    private static void ReadChat(SettingsReader section, ChatEngineOptions chat)
    {
        Number(section, nameof(chat.MaxMessageBytes), chat.MaxMessageBytes, v => chat.MaxMessageBytes = v);
        Number(section, nameof(chat.MaxEnvelopeBytes), chat.MaxEnvelopeBytes, v => chat.MaxEnvelopeBytes = v);
        Number(section, nameof(chat.MaxSystemPromptChars), chat.MaxSystemPromptChars, v => chat.MaxSystemPromptChars = v);
        Number(section, nameof(chat.MaxAnswerChars), chat.MaxAnswerChars, v => chat.MaxAnswerChars = v);
        Number(section, nameof(chat.MaxQueuedTurns), chat.MaxQueuedTurns, v => chat.MaxQueuedTurns = v);
        Number(section, nameof(chat.MaxConcurrentGenerations), chat.MaxConcurrentGenerations, v => chat.MaxConcurrentGenerations = v);
        Number(section, nameof(chat.HistoryTokens), chat.HistoryTokens, v => chat.HistoryTokens = v);
        Number(section, nameof(chat.MaxHistoryMessages), chat.MaxHistoryMessages, v => chat.MaxHistoryMessages = v);
        Number(section, nameof(chat.MaxPassages), chat.MaxPassages, v => chat.MaxPassages = v);
        Number(section, nameof(chat.MaxPassageChars), chat.MaxPassageChars, v => chat.MaxPassageChars = v);
        Number(section, nameof(chat.MaxSessions), chat.MaxSessions, v => chat.MaxSessions = v);
        Number(section, nameof(chat.MaxSocketsPerSession), chat.MaxSocketsPerSession, v => chat.MaxSocketsPerSession = v);
        Number(section, nameof(chat.MaxPreviousMessages), chat.MaxPreviousMessages, v => chat.MaxPreviousMessages = v);
        Time(section, nameof(chat.FirstChunkTimeout), chat.FirstChunkTimeout, v => chat.FirstChunkTimeout = v);
        Time(section, nameof(chat.StallTimeout), chat.StallTimeout, v => chat.StallTimeout = v);
        Time(section, nameof(chat.GenerationTimeout), chat.GenerationTimeout, v => chat.GenerationTimeout = v);
        Time(section, nameof(chat.ResumeRetention), chat.ResumeRetention, v => chat.ResumeRetention = v);
        Time(section, nameof(chat.SessionGracePeriod), chat.SessionGracePeriod, v => chat.SessionGracePeriod = v);
        Time(section, nameof(chat.SessionIdleTimeout), chat.SessionIdleTimeout, v => chat.SessionIdleTimeout = v);
        section.RefuseUnknown();
    }

    private static void Number(SettingsReader section, string name, int current, Action<int> set) =>
        Set(section, name, section.Number(name, current), set);

    private static void Time(SettingsReader section, string name, TimeSpan current, Action<TimeSpan> set) =>
        Set(section, name, section.Duration(name, current), set);

    // Ranges are those of the options themselves.
    private static void Set<T>(SettingsReader section, string name, T value, Action<T> set)
    {
        try
        {
            set(value);
        }
        catch (ArgumentOutOfRangeException)
        {
            section.AddRangeMistake(name);
        }
    }
}
