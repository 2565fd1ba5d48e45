using System.Security.Cryptography;
using System.Text;
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
    private const string KeyGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

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
        if (Mistake(http, isConnect) is { } mistake)
        {
            http.Response.Headers.SecWebSocketVersion = "13";
            await Problems.WriteAsync(http, StatusCodes.Status400BadRequest, mistake);
            return;
        }
        var request = Read(http, path);
        if (request is null || sockets.Server.Prepare(request) is not { } accepted)
        {
            await Problems.WriteAsync(http, StatusCodes.Status400BadRequest, "The request's head is malformed.");
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
        var stream = isConnect ? await connect!.AcceptAsync() : await AcceptAsync(http, upgrade!);
        await accepted.RunAsync(new UpgradedConnection(http, stream));
    }

    private static bool AsksForUpgrade(HttpContext http, IHttpUpgradeFeature? upgrade) =>
        upgrade is { IsUpgradableRequest: true } && HttpMethods.IsGet(http.Request.Method)
            && http.Request.Headers.GetCommaSeparatedValues(HeaderNames.Upgrade).Contains("websocket", StringComparer.OrdinalIgnoreCase);

    /// <summary>What RFC 6455 section 4.2.1 asks for that Kestrel does not check.</summary>
    private static string? Mistake(HttpContext http, bool isConnect)
    {
        var headers = http.Request.Headers;
        if (headers.SecWebSocketVersion != "13")
            return "Sec-WebSocket-Version must be 13.";
        // RFC 8441 section 5: there is no key over HTTP/2.
        if (isConnect)
            return null;
        Span<byte> key = stackalloc byte[16];
        bool valid = headers.SecWebSocketKey is [{ Length: 24 } text] && Convert.TryFromBase64String(text, key, out int length) && length == 16;
        return valid ? null : "Sec-WebSocket-Key must be 16 bytes in base64.";
    }

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

    private static Task<Stream> AcceptAsync(HttpContext http, IHttpUpgradeFeature upgrade)
    {
        var headers = http.Response.Headers;
        headers.Connection = HeaderNames.Upgrade;
        headers.Upgrade = "websocket";
#pragma warning disable CA5350 // RFC 6455 section 4.2.2 item 5.4 wants SHA-1; it protects nothing.
        headers.SecWebSocketAccept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(http.Request.Headers.SecWebSocketKey + KeyGuid)));
#pragma warning restore CA5350
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
