using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FastChat.Server.Tests.Commands;

/// <summary>A server on loopback that speaks seed 002's frames as a test writes them, and keeps what it was sent.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ScriptedServer(WebApplication app) => _app = app;

    /// <summary>What came on sockets.</summary>
    public Channel<JsonElement> Received { get; } = Channel.CreateUnbounded<JsonElement>();

    /// <summary>The answer to each message: frames, in which $ID is its client_message_id. "close" closes.</summary>
    public Func<JsonElement, IEnumerable<string>> Script { get; set; } = _ => [];

    /// <summary>The answer to the request that makes the session.</summary>
    public Func<HttpContext, IResult> Session { get; set; } = _ => Results.Text(
        """{"session_id":"s 1","conversation_id":"c","chatbot_id":"assistant","chatbot_name":"Robo","previous_messages":[]}""", "application/json");

    public string? SocketAuthorization { get; private set; }

    public string Url => _app.Urls.Single();

    public static async Task<ScriptedServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var server = new ScriptedServer(app);
        app.UseWebSockets();
        app.MapPost("/chatbot/{id}/session", (HttpContext context) => server.Session(context));
        app.Map("/ws/chat/{session}", server.ServeAsync);
        await app.StartAsync().WaitAsync(CommandRunner.Bound);
        return server;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task ServeAsync(HttpContext context)
    {
        Assert.Equal("s 1", context.Request.RouteValues["session"]);
        SocketAuthorization = context.Request.Headers.Authorization;
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        await SendAsync(socket, """{"type":"session_info","session_id":"s 1","chatbot_name":"Robo","message":"Connected"}""");
        byte[] buffer = new byte[64 * 1024];
        while (true)
        {
            var read = await socket.ReceiveAsync(buffer, CancellationToken.None);
            if (read.MessageType == WebSocketMessageType.Close)
                break;
            var message = JsonElement.Parse(buffer.AsSpan(0, read.Count));
            Received.Writer.TryWrite(message);
            string id = message.TryGetProperty("client_message_id", out var given) ? given.GetString()! : "";
            foreach (string frame in Script(message))
            {
                if (frame == "close")
                {
                    await socket.CloseOutputAsync(WebSocketCloseStatus.PolicyViolation, "session replaced", CancellationToken.None);
                    return;
                }
                await SendAsync(socket, frame.Replace("$ID", id));
            }
        }
    }

    private static Task SendAsync(WebSocket socket, string frame) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(frame), WebSocketMessageType.Text, true, CancellationToken.None);
}
