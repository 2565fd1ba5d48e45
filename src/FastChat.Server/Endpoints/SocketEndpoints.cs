using FastChat.Handshake;
using FastChat.Server.Auth.Http;
using FastChat.Server.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Net.Http.Headers;

namespace FastChat.Server.Endpoints;

/// <summary>
/// The sockets' paths for upgrades that reach Kestrel: over TLS, on a connection that has served requests before, over HTTP/2
/// (RFC 8441), or in another application. They end up at the same handlers as those of the raw path.
/// </summary>
internal static class SocketEndpoints
{
    public static void MapSockets(this IEndpointRouteBuilder routes)
    {
        foreach (string path in ChatSocketHandler.Paths)
        {
            routes.MapMethods(path, [HttpMethods.Get, HttpMethods.Connect], (HttpContext http) => ServeAsync(http, path))
                .AllowAnonymous().ExcludeFromDescription();
        }
    }

    private static async Task ServeAsync(HttpContext http, string path)
    {
        var sockets = http.RequestServices.GetRequiredService<ChatSocketServer>();
        var connect = http.Features.Get<IHttpExtendedConnectFeature>();
        bool isConnect = connect is { IsExtendedConnect: true } && "websocket".Equals(connect.Protocol, StringComparison.OrdinalIgnoreCase);
        var upgrade = isConnect ? null : http.Features.Get<IHttpUpgradeFeature>();
        if (!isConnect && !AsksForUpgrade(http, upgrade))
        {
            http.Response.Headers.Upgrade = "websocket";
            await Problems.WriteAsync(http, StatusCodes.Status426UpgradeRequired, "This is a WebSocket: connect with ws:// or wss://.");
            return;
        }
        if (http.Request.Headers.SecWebSocketVersion != "13")
        {
            http.Response.Headers.SecWebSocketVersion = "13";
            await Problems.WriteAsync(http, StatusCodes.Status400BadRequest, "Sec-WebSocket-Version must be 13.");
            return;
        }
        var request = Read(http, path);
        if (request is null || sockets.Server.Prepare(request) is not { } accepted)
        {
            await Problems.WriteAsync(http, StatusCodes.Status400BadRequest, "The request's head is malformed.");
            return;
        }
        // RFC 8441 section 5: there is no key over HTTP/2.
        if (!isConnect && accepted.Accept is null)
        {
            await Problems.WriteAsync(http, StatusCodes.Status400BadRequest, "Sec-WebSocket-Key must be 16 bytes in base64.");
            return;
        }
        if (await sockets.Handler.OnUpgradeAsync(request) is { } refusal)
        {
            foreach (var (name, value) in refusal.Headers ?? [])
                http.Response.Headers[name] = value;
            await Problems.WriteAsync(http, refusal.Status, refusal.Text);
            return;
        }
        var headers = http.Response.Headers;
        if (accepted.Subprotocol is not null)
            headers.SecWebSocketProtocol = accepted.Subprotocol;
        if (accepted.Extensions is not null)
            headers.SecWebSocketExtensions = accepted.Extensions;
        Unlimit(http);
        var stream = isConnect ? await connect!.AcceptAsync() : await AcceptAsync(http, upgrade!, accepted.Accept);
        await accepted.RunAsync(new UpgradedConnection(http, stream));
    }

    private static bool AsksForUpgrade(HttpContext http, IHttpUpgradeFeature? upgrade) =>
        upgrade is { IsUpgradableRequest: true } && HttpMethods.IsGet(http.Request.Method)
            && http.Request.Headers.GetCommaSeparatedValues(HeaderNames.Upgrade).Contains("websocket", StringComparer.OrdinalIgnoreCase);

    private static WebSocketRequest? Read(HttpContext http, string template)
    {
        // The template's own path, wherever the application has mapped it to.
        string path = template.Replace("{session_id}", Uri.EscapeDataString(http.GetRouteValue("session_id") as string ?? ""), StringComparison.Ordinal);
        if (http.Request.Path.Value is [.., '/'])
            path += "/";
        try
        {
            return WebSocketRequest.Create(path + http.Request.QueryString, http.Request.Headers.SelectMany(
                header => header.Value, (header, value) => KeyValuePair.Create(header.Key, value ?? "")));
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static Task<Stream> AcceptAsync(HttpContext http, IHttpUpgradeFeature upgrade, string? accept)
    {
        var headers = http.Response.Headers;
        headers.Connection = HeaderNames.Upgrade;
        headers.Upgrade = "websocket";
        headers.SecWebSocketAccept = accept;
        return upgrade.UpgradeAsync();
    }

    // The limits of a request's body are none of a socket's, which has its own.
    private static void Unlimit(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = null;
        if (http.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
            rate.MinDataRate = null;
        if (http.Features.Get<IHttpMinResponseDataRateFeature>() is { } responseRate)
            responseRate.MinDataRate = null;
    }
}
