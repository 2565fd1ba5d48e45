using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FastChat.Core.Tests;

/// <summary>An ASP.NET Core server on a free port whose WebSockets are the framework's own: the peer of our client.</summary>
internal sealed class KestrelHarness : IAsyncDisposable
{
    private readonly WebApplication _app;

    private KestrelHarness(WebApplication app)
    {
        _app = app;
        string address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        Port = new Uri(address).Port;
    }

    public int Port { get; }

    /// <summary>What the clients sent along: the header X-Test of each request.</summary>
    public List<string> Headers { get; } = [];

    public Uri Url(string path = "/echo") => new($"ws://127.0.0.1:{Port}{path}");

    public static async Task<KestrelHarness> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.UseWebSockets();
        KestrelHarness? harness = null;
        app.Map("/echo", context => harness!.EchoAsync(context, deflate: false));
        app.Map("/deflate", context => harness!.EchoAsync(context, deflate: true));
        app.Map("/goodbye", async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await socket.CloseAsync((WebSocketCloseStatus)4000, "bye é", CancellationToken.None);
        });
        app.Map("/elsewhere", context => { context.Response.Redirect("/echo"); return Task.CompletedTask; });
        app.Map("/secret", context => { context.Response.StatusCode = 401; return Task.CompletedTask; });
        await app.StartAsync().WaitAsync(NetworkHarness.Patience);
        return harness = new KestrelHarness(app);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true)).WaitAsync(NetworkHarness.Patience);
        await _app.DisposeAsync().AsTask().WaitAsync(NetworkHarness.Patience);
    }

    private async Task EchoAsync(HttpContext context, bool deflate)
    {
        lock (Headers) Headers.Add(context.Request.Headers["X-Test"].ToString());
        using var socket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
        {
            DangerousEnableCompression = deflate,
            SubProtocol = context.WebSockets.WebSocketRequestedProtocols.LastOrDefault(),
        });
        byte[] buffer = new byte[16 * 1024];
        try
        {
            while (await socket.ReceiveAsync(buffer, CancellationToken.None) is var received && received.MessageType != WebSocketMessageType.Close)
                await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, CancellationToken.None);
            await socket.CloseOutputAsync(socket.CloseStatus ?? WebSocketCloseStatus.Empty, null, CancellationToken.None);
        }
        catch (WebSocketException)
        {
            // The client is gone, as some tests have it.
        }
    }
}
