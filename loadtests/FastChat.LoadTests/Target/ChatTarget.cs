using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Security;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FastChat.LoadTests.Load;
using FastChat.LoadTests.Wire;

namespace FastChat.LoadTests.Target;

/// <summary>A user who is signed in.</summary>
internal sealed record ChatUser(string Name, string Token);

/// <summary>How to talk to a server.</summary>
/// <param name="Address">Where it is.</param>
/// <param name="Timeout">For each request, connection and answer.</param>
internal sealed record TargetOptions(Uri Address, TimeSpan Timeout)
{
    /// <summary>The server's <c>Auth:Secret</c>; null for development tokens, or <see cref="Token"/>.</summary>
    public string? Secret { get; init; }

    /// <summary>A token for everything; then there is but one user.</summary>
    public string? Token { get; init; }

    /// <summary>Whether any certificate will do.</summary>
    public bool Insecure { get; init; }

    /// <summary>Whether the model may be another than the offline one, whose answers are not known beforehand.</summary>
    public bool AnyModel { get; init; }
}

/// <summary>A FastChat server as its clients see it. Thread-safe.</summary>
internal sealed class ChatTarget : IAsyncDisposable
{
    private const int MostConnections = 256;

    private readonly TargetOptions _options;
    private readonly HttpClient _http;

    [SuppressMessage("Security", "CA5359", Justification = "Asked for by --insecure, of a server under test.")]
    public ChatTarget(TargetOptions options, TimeProvider time)
    {
        _options = options;
        Time = time;
        var sockets = new SocketsHttpHandler { MaxConnectionsPerServer = MostConnections, UseProxy = false, AllowAutoRedirect = false, ActivityHeadersPropagator = null };
        if (options.Insecure) sockets.SslOptions.RemoteCertificateValidationCallback = Any;
        _http = new HttpClient(sockets) { BaseAddress = options.Address, Timeout = options.Timeout };
        var limits = new Connections.WebSocketLimits { PingInterval = System.Threading.Timeout.InfiniteTimeSpan, MaxMessageBytes = 16 << 20, MaxFrameBytes = 16 << 20 };
        Sockets = new WebSocketClient(new WebSocketClientOptions
        {
            Limits = limits,
            ConnectTimeout = options.Timeout,
            TimeProvider = time,
            ConfigureTls = tls => { if (options.Insecure) tls.RemoteCertificateValidationCallback = Any; },
        });
        Tokens = options switch
        {
            { Token: { } token } => new GivenToken(token),
            { Secret: { } secret } => new SecretTokens(secret, time),
            _ => new DevTokens(_http),
        };
    }

    public TimeProvider Time { get; }

    public TimeSpan Timeout => _options.Timeout;

    public bool AnyModel => _options.AnyModel;

    public ITokens Tokens { get; }

    public WebSocketClient Sockets { get; }

    /// <summary>Signs a user in.</summary>
    public async Task<ChatUser> SignInAsync(string name, CancellationToken cancellationToken) => new(name, await Tokens.GetAsync(name, cancellationToken));

    /// <summary>Opens a session with the built-in chatbot, on a conversation of its own.</summary>
    public Task<SessionIn> OpenSessionAsync(ChatUser user, CancellationToken cancellationToken) =>
        SendAsync(user, HttpMethod.Post, "chatbot/assistant/session", WireJson.Default.SessionIn, cancellationToken: cancellationToken);

    /// <summary>The address of a session's socket.</summary>
    public Uri SocketOf(SessionIn session, ChatUser user)
    {
        var address = new UriBuilder(new Uri(_options.Address, $"ws/chat/{Uri.EscapeDataString(session.SessionId)}"))
        {
            Scheme = _options.Address.Scheme == Uri.UriSchemeHttps ? "wss" : "ws",
            Query = $"token={Uri.EscapeDataString(user.Token)}",
        };
        return address.Uri;
    }

    /// <summary>A request whose answer is JSON.</summary>
    /// <exception cref="LoadException">It was refused.</exception>
    public async Task<T> SendAsync<T>(ChatUser user, HttpMethod method, string path, JsonTypeInfo<T> type, HttpContent? body = null, CancellationToken cancellationToken = default)
    {
        using var response = await SendAsync(user, method, path, body, cancellationToken);
        return await response.Content.ReadFromJsonAsync(type, cancellationToken) ?? throw new LoadException($"{method} {Shape(path)}: the answer is null.");
    }

    /// <summary>A request whose answer is text.</summary>
    /// <exception cref="LoadException">It was refused.</exception>
    public async Task<string> GetTextAsync(ChatUser user, HttpMethod method, string path, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(user, method, path, null, cancellationToken);
        return await response.Content.ReadAsStringAsync(cancellationToken);
    }

    /// <summary>A request of which only the status is of interest.</summary>
    public async Task<HttpStatusCode> StatusAsync(ChatUser user, HttpMethod method, string path, CancellationToken cancellationToken)
    {
        using var response = await RequestAsync(user, method, path, null, cancellationToken);
        return response.StatusCode;
    }

    /// <exception cref="LoadException">The server is not there, or not ready.</exception>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _http.GetAsync(new Uri("health/ready", UriKind.Relative), cancellationToken);
            if (!response.IsSuccessStatusCode) throw new LoadException($"{_options.Address} is not ready: {await SaidAsync(response, cancellationToken)}");
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            throw new LoadException($"{_options.Address} does not answer: {e.GetBaseException().Message}", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Sockets.DisposeAsync();
    }

    private async Task<HttpResponseMessage> SendAsync(ChatUser user, HttpMethod method, string path, HttpContent? body, CancellationToken cancellationToken)
    {
        var response = await RequestAsync(user, method, path, body, cancellationToken);
        if (response.IsSuccessStatusCode) return response;
        using (response) throw new LoadException($"{method} {Shape(path)}: {await SaidAsync(response, cancellationToken)}");
    }

    /// <summary>The status, and of a problem (RFC 9457) its detail.</summary>
    private static async Task<string> SaidAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        string body = await response.Content.ReadAsStringAsync(cancellationToken);
        if (response.Content.Headers.ContentType?.MediaType == "application/problem+json")
        {
            try
            {
                body = JsonSerializer.Deserialize(body, WireJson.Default.ProblemIn)?.Detail ?? body;
            }
            catch (JsonException)
            {
                // It is told as it came.
            }
        }
        return $"{(int)response.StatusCode} {body}";
    }

    private async Task<HttpResponseMessage> RequestAsync(ChatUser user, HttpMethod method, string path, HttpContent? body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", user.Token);
        return await _http.SendAsync(request, cancellationToken);
    }

    // Without ids and queries: errors alike are counted together.
    private static string Shape(string path) => string.Join('/', path.Split('?')[0].Split('/').Select(part => part.Any(char.IsAsciiDigit) ? "{id}" : part));

    private static bool Any(object sender, System.Security.Cryptography.X509Certificates.X509Certificate? certificate,
        System.Security.Cryptography.X509Certificates.X509Chain? chain, SslPolicyErrors errors) => true;
}
