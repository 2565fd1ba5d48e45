using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace FastChat.Server.Commands.Chat;

/// <summary>
/// A conversation with a running server, as seed 002's front end has it: a session made by REST, then its socket. The socket is read all
/// the time, so that pings are answered while nobody types. One question at a time; stopping it may come from any thread.
/// </summary>
internal sealed class ChatConversation : IAsyncDisposable
{
    private readonly IChatSocket _socket;
    private readonly Channel<ChatEvent> _events = Channel.CreateBounded<ChatEvent>(256);
    private readonly SemaphoreSlim _sending = new(1);
    private readonly CancellationTokenSource _end = new();
    private readonly Task _reading;

    private ChatConversation(IChatSocket socket, string chatbot, IReadOnlyList<(string Role, string Text)> previous)
    {
        (_socket, Chatbot, Previous) = (socket, chatbot, previous);
        _reading = ReadAsync();
    }

    /// <summary>Name of the chatbot.</summary>
    public string Chatbot { get; }

    /// <summary>What was said before, oldest first.</summary>
    public IReadOnlyList<(string Role, string Text)> Previous { get; }

    /// <summary>What the server says. Completes when the connection ends, with an exception where it broke.</summary>
    public ChannelReader<ChatEvent> Events => _events.Reader;

    /// <summary>Makes a session and connects to it.</summary>
    /// <param name="server">The server's address, http or https.</param>
    /// <param name="chatbotId">Id of the chatbot.</param>
    /// <param name="token">Who is asking.</param>
    /// <param name="http">For the request that makes the session.</param>
    /// <param name="connect">Connects a socket.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CommandException">The server does not answer or refuses; the message says which.</exception>
    public static async Task<ChatConversation> OpenAsync(Uri server, string chatbotId, string token, HttpClient http,
        Func<Uri, string, CancellationToken, Task<IChatSocket>> connect, CancellationToken cancellationToken)
    {
        using var session = await OpenSessionAsync(server, chatbotId, token, http, cancellationToken);
        var root = session.RootElement;
        string id = ChatEvent.Member(root, "session_id") ?? throw new CommandException("The server gave no session_id.");
        string scheme = server.Scheme == Uri.UriSchemeHttps ? "wss" : "ws";
        var address = new UriBuilder(new Uri(server, $"ws/chat/{Uri.EscapeDataString(id)}")) { Scheme = scheme }.Uri;
        try
        {
            var socket = await connect(address, token, cancellationToken);
            return new ChatConversation(socket, ChatEvent.Member(root, "chatbot_name") ?? "Assistant", ReadPrevious(root));
        }
        catch (WebSocketException e)
        {
            throw new CommandException($"The server's WebSocket at {address} does not open: {e.Message}");
        }
    }

    /// <summary>Sends a question.</summary>
    /// <param name="text">The question.</param>
    /// <param name="id">Our id of it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task AskAsync(string text, string id, CancellationToken cancellationToken) => SendAsync(
        new JsonObject { ["message"] = text, ["message_type"] = "text", ["client_message_id"] = id }, cancellationToken);

    /// <summary>Stops the answer under way; it then completes with what it has.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => SendAsync(new JsonObject { ["type"] = "stop" }, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _socket.DisposeAsync();
        await _end.CancelAsync();
        await _reading;
        _end.Dispose();
        _sending.Dispose();
    }

    private static async Task<JsonDocument> OpenSessionAsync(
        Uri server, string chatbotId, string token, HttpClient http, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server, $"chatbot/{Uri.EscapeDataString(chatbotId)}/session"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Content = JsonContent.Create(new JsonObject());
        try
        {
            using var response = await http.SendAsync(request, cancellationToken);
            var body = await ReadJsonAsync(response, cancellationToken);
            if (response.IsSuccessStatusCode)
                return body ?? throw new CommandException($"{server} is no FastChat server: its answer is not JSON.");
            using (body)
                throw new CommandException(
                    (body is null ? null : ChatEvent.Member(body.RootElement, "detail")) ?? $"The server answered {(int)response.StatusCode}.");
        }
        catch (HttpRequestException e) when (e.InnerException is SocketException)
        {
            throw new CommandException($"No server answers at {server}; fastchat serve starts one.");
        }
    }

    private static async Task<JsonDocument?> ReadJsonAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            return JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static List<(string, string)> ReadPrevious(JsonElement root)
    {
        if (!root.TryGetProperty("previous_messages", out var previous) || previous.ValueKind != JsonValueKind.Array)
            return [];
        return [.. previous.EnumerateArray().Select(one => (ChatEvent.Member(one, "role") ?? "", ChatEvent.Member(one, "message") ?? ""))];
    }

    private async Task SendAsync(JsonObject message, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken);
        try
        {
            await _socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), cancellationToken);
        }
        finally
        {
            _sending.Release();
        }
    }

    private async Task ReadAsync()
    {
        Exception? end = null;
        try
        {
            while (await _socket.ReceiveAsync(_end.Token) is { } message)
            {
                var said = ChatEvent.Read(message);
                if (said.Kind is not ChatEventKind.Other)
                    await _events.Writer.WriteAsync(said, _end.Token);
            }
            end = new CommandException(_socket.CloseReason is { Length: > 0 } why
                ? $"The server closed the connection: {PlainText.OneLine(why)}"
                : "The server closed the connection.");
        }
        catch (OperationCanceledException)
        {
            // We left.
        }
        catch (Exception e) when (e is WebSocketException or IOException or ObjectDisposedException)
        {
            end = new CommandException("The connection to the server broke.");
        }
        _events.Writer.TryComplete(end);
    }
}
