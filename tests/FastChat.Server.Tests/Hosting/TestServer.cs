using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using FastChat.Chat;
using FastChat.Server.Auth.Tokens;
using FastChat.Server.Configuration;
using FastChat.Server.Hosting;
using FastChat.Storage;
using FastChat.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace FastChat.Server.Tests.Hosting;

/// <summary>The whole server on a free port of loopback, with a data directory of its own and a model that the test scripts.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    /// <summary>How long anything may take before it counts as hung: far longer than it takes a machine that is busy with other things.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <summary>What the model says unless a test has it say something else.</summary>
    public static readonly string[] Words = ["Hello! ", "How can I assist ", "you today?"];

    private readonly WebApplication _app;
    private readonly DirectoryInfo _data;
    private readonly bool _keepsData;

    private TestServer(WebApplication app, DirectoryInfo data, ScriptedChatClient model, HttpMessageHandler? handler, bool keepsData)
    {
        (_app, _data, Model, _keepsData) = (app, data, model, keepsData);
        Address = new Uri(app.Urls.Single());
        // Without a trace context: a test's own activity, which nobody samples, would keep the server's from being traced.
        Http = new HttpClient(handler ?? new SocketsHttpHandler { ActivityHeadersPropagator = null });
        Http.BaseAddress = Address;
        Http.Timeout = Patience;
    }

    public static string Answer => string.Concat(Words);

    public Uri Address { get; }

    /// <summary>A client without a token.</summary>
    public HttpClient Http { get; }

    public ScriptedChatClient Model { get; }

    public DirectoryInfo Data => _data;

    public IServiceProvider Services => _app.Services;

    public ChatEngine Engine => Services.GetRequiredService<ChatEngine>();

    /// <summary>Starts one.</summary>
    /// <param name="settings">Settings by key.</param>
    /// <param name="services">Last changes to the services.</param>
    /// <param name="handler">How the client connects.</param>
    /// <param name="data">A directory to go on with; it stays.</param>
    public static async Task<TestServer> StartAsync(Dictionary<string, string?>? settings = null, Action<IServiceCollection>? services = null,
        HttpMessageHandler? handler = null, DirectoryInfo? data = null)
    {
        var directory = data ?? Directory.CreateTempSubdirectory("fastchat-host-");
        var model = new ScriptedChatClient { Reply = _ => Words };
        var app = ServerHost.Build(Options(directory, settings), s =>
        {
            s.AddLogging(logging => logging.ClearProviders());
            s.Replace(ServiceDescriptor.Singleton<IModelCatalog>(new FakeModelCatalog(("scripted", model), ("second", model))));
            services?.Invoke(s);
        });
        await app.StartAsync().WaitAsync(Patience);
        return new TestServer(app, directory, model, handler, data is not null);
    }

    /// <summary>Checked options on a free port.</summary>
    public static ServeOptions Options(DirectoryInfo directory, Dictionary<string, string?>? settings = null)
    {
        var all = new Dictionary<string, string?> { ["Port"] = "0", ["Data"] = directory.FullName };
        foreach (var (key, value) in settings ?? [])
            all[key] = value;
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(all).Build();
        var reader = new SettingsReader(configuration);
        var options = ServeOptions.Read(configuration, reader, directory.FullName, _ => null, insecureTrustUserId: false);
        Assert.Empty(reader.Mistakes);
        return options;
    }

    /// <summary>A token of a user, who is made where needed.</summary>
    public async Task<string> TokenAsync(string name, bool admin = false, TimeSpan? lifetime = null)
    {
        var user = await UserAsync(name);
        return await Services.GetRequiredService<TokenIssuer>().IssueAsync(user.Id, user.Name, lifetime ?? TimeSpan.FromHours(1), admin).WaitAsync(Patience);
    }

    public async Task<UserRecord> UserAsync(string name)
    {
        var store = Services.GetRequiredService<IChatStore>();
        return await store.GetUserByNameAsync(name).WaitAsync(Patience) ?? (await store.CreateUserAsync(name).WaitAsync(Patience))!;
    }

    /// <summary>A client with a token.</summary>
    public async Task<HttpClient> ClientAsync(string name, bool admin = false)
    {
        var client = new HttpClient { BaseAddress = Address, Timeout = Patience };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await TokenAsync(name, admin));
        return client;
    }

    /// <summary>Opens a socket as a browser does.</summary>
    public Task<TestSocket> ConnectAsync(string path, params (string Name, string Value)[] headers) => TestSocket.ConnectAsync(Address, path, headers);

    /// <summary>Opens a session of seed 002 and a socket on it, and takes its <c>session_info</c>.</summary>
    public async Task<(TestSocket Socket, JsonElement Session)> ChatAsync(string name)
    {
        using var client = await ClientAsync(name);
        using var opened = await client.PostAsync(new Uri("/chatbot/assistant/session", UriKind.Relative), null);
        var session = await opened.JsonAsync();
        var socket = await ConnectAsync($"/ws/chat/{session.GetProperty("session_id")}?token={await TokenAsync(name)}");
        await socket.NextAsync("session_info");
        return (socket, session);
    }

    /// <summary>Stops gracefully, as SIGTERM does.</summary>
    public Task StopAsync() => _app.StopAsync().WaitAsync(Patience);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync().AsTask().WaitAsync(Patience);
        if (!_keepsData)
            _data.Delete(recursive: true);
    }
}

/// <summary>A socket of the platform's own client: what a front end has.</summary>
internal sealed class TestSocket : IDisposable
{
    private readonly ClientWebSocket _socket = new();

    public string? SubProtocol => _socket.SubProtocol;

    public (int Code, string? Reason) CloseStatus => ((int?)_socket.CloseStatus ?? 0, _socket.CloseStatusDescription);

    public static async Task<TestSocket> ConnectAsync(
        Uri address, string path, IEnumerable<(string Name, string Value)> headers, Action<ClientWebSocketOptions>? configure = null,
        HttpMessageInvoker? invoker = null)
    {
        var socket = new TestSocket();
        foreach (var (name, value) in headers)
            socket._socket.Options.SetRequestHeader(name, value);
        socket._socket.Options.CollectHttpResponseDetails = true;
        configure?.Invoke(socket._socket.Options);
        using var patience = new CancellationTokenSource(TestServer.Patience);
        string scheme = address.Scheme == Uri.UriSchemeHttps ? "wss" : "ws";
        try
        {
            await socket._socket.ConnectAsync(new Uri($"{scheme}://{address.Authority}{path}"), invoker, patience.Token);
        }
        catch (WebSocketException e)
        {
            throw new RefusedException((int)socket._socket.HttpStatusCode, e);
        }
        return socket;
    }

    public Task SendAsync(string text) =>
        _socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, CancellationToken.None).WaitAsync(TestServer.Patience);

    public Task SendAsync(object message) => SendAsync(JsonSerializer.Serialize(message));

    /// <summary>The next message; null when the server closed.</summary>
    public async Task<string?> ReadAsync()
    {
        var message = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        using var patience = new CancellationTokenSource(TestServer.Patience);
        while (true)
        {
            var result = await _socket.ReceiveAsync(buffer.AsMemory(), patience.Token);
            if (result.MessageType == WebSocketMessageType.Close)
                return null;
            message.Write(buffer, 0, result.Count);
            if (result.EndOfMessage)
                return Encoding.UTF8.GetString(message.ToArray());
        }
    }

    public async Task<string> TextAsync() => await ReadAsync() ?? throw new InvalidOperationException($"Closed: {CloseStatus}");

    public async Task<JsonElement> NextAsync() => JsonDocument.Parse(await TextAsync()).RootElement;

    public async Task<JsonElement> NextAsync(string type)
    {
        var message = await NextAsync();
        return message.TryGetProperty("type", out var actual) && actual.ValueKind == JsonValueKind.String && actual.GetString() == type
            ? message : throw new InvalidOperationException($"Expected {type}, got {message.GetRawText()}");
    }

    /// <summary>Reads on until a message of this type.</summary>
    public async Task<JsonElement> SkipToAsync(string type)
    {
        while (true)
        {
            var message = await NextAsync();
            if (message.TryGetProperty("type", out var actual) && actual.ValueKind == JsonValueKind.String && actual.GetString() == type)
                return message;
        }
    }

    /// <summary>Reads to the end and says how the server closed.</summary>
    public async Task<(int Code, string? Reason)> ClosedAsync()
    {
        while (await ReadAsync() is not null)
        {
        }
        return CloseStatus;
    }

    /// <summary>Closes it, or answers the server's close.</summary>
    public async Task CloseAsync()
    {
        using var patience = new CancellationTokenSource(TestServer.Patience);
        try
        {
            await _socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, patience.Token);
        }
        catch (WebSocketException) when (_socket.CloseStatus is not null)
        {
            // A server that is stopping waits a moment for this answer, and not for a machine with better things to do.
        }
    }

    public void Abort() => _socket.Abort();

    public void Dispose() => _socket.Dispose();
}

/// <summary>The handshake was refused.</summary>
internal sealed class RefusedException(int status, Exception inner) : Exception($"Refused with {status}.", inner)
{
    public int Status => status;
}

internal static class Responses
{
    /// <summary>The body of a successful answer.</summary>
    public static async Task<JsonElement> JsonAsync(this HttpResponseMessage response)
    {
        string body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode}: {body}");
        return JsonDocument.Parse(body).RootElement;
    }

    public static async Task<JsonElement> GetJsonAsync(this HttpClient client, string path)
    {
        using var response = await client.GetAsync(new Uri(path, UriKind.Relative));
        return await response.JsonAsync();
    }

    public static Task<HttpResponseMessage> SendAsync(this HttpClient client, string method, string path, object? body = null)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
            request.Content = JsonContent.Create(body);
        return client.SendAsync(request);
    }

    /// <summary>The <c>detail</c> of an error, which must be problem details of this status.</summary>
    public static async Task<string> DetailAsync(this HttpResponseMessage response, int status)
    {
        string body = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, $"Expected {status}, got {(int)response.StatusCode}: {body}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        using var problem = JsonDocument.Parse(body);
        Assert.Equal(status, problem.RootElement.GetProperty("status").GetInt32());
        return problem.RootElement.GetProperty("detail").GetString()!;
    }

    public static string Text(this JsonElement element, string name) => element.GetProperty(name).GetString()!;

    /// <summary>The names of an object's members, in order.</summary>
    public static string[] Names(this JsonElement element) => [.. element.EnumerateObject().Select(p => p.Name)];
}
