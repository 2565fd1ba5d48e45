using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using FastChat.Diagnostics;
using FastChat.Handshake;
using FastChat.Protocol.Compression;
using FastChat.Transport;
using Microsoft.Extensions.Logging;

namespace FastChat.Connections;

/// <summary>The server's side of the handshake over a transport: reads the head, judges it, answers. What is no upgrade is handed on unread.</summary>
internal sealed class UpgradeGate(
    RouteTable<WebSocketHandler> routes, UpgradeRules rules, PerMessageDeflateOptions? compression, HttpHeadLimits limits,
    Action<TransportConnection>? fallback, TimeProvider time, ILogger logger)
{
    /// <summary>Who has the connection after <see cref="AdmitAsync"/>.</summary>
    public enum Outcome
    {
        /// <summary>Nobody: it was refused, or its peer is gone.</summary>
        Over,
        /// <summary>A WebSocket handler.</summary>
        Admitted,
        /// <summary>The fallback.</summary>
        HandedOn,
    }

    public readonly record struct Admission(Outcome Outcome, WebSocketHandler? Handler, string? Subprotocol, PerMessageDeflateParameters Agreed, string? Extensions);

    /// <summary>What the path, the subprotocols and the extensions of a valid request come to; false where no path matches.</summary>
    /// <param name="request">The request; gets its route values.</param>
    /// <param name="admission">What to answer.</param>
    /// <param name="error">The rule broken where the path matches but the offers of extensions do not parse.</param>
    public bool TryMatch(WebSocketRequest request, out Admission admission, out HandshakeError error)
    {
        admission = default;
        error = HandshakeError.None;
        if (!routes.TryMatch(request.Path, out var handler, out var values)) return false;
        request.RouteValues = values;
        PerMessageDeflateParameters agreed = default;
        string? extensions = null;
        if (request.Head.IndexOf("sec-websocket-extensions"u8) >= 0)
        {
            if (PerMessageDeflateNegotiation.Accept(Offers(request.Head), compression, out agreed, out extensions) == NegotiationResult.Invalid)
                error = HandshakeError.ExtensionsInvalid;
        }
        admission = new Admission(Outcome.Admitted, handler, rules.SelectSubprotocol(request.Head), agreed, extensions);
        return true;
    }

    /// <summary>Runs the handshake.</summary>
    /// <param name="transport">A connection just accepted.</param>
    /// <param name="head">Where the head goes.</param>
    /// <param name="request">A view of that head.</param>
    /// <param name="watch">Tells whether a cancelled read means that time is up.</param>
    /// <exception cref="IOException">The peer is gone.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Admission> AdmitAsync(TransportConnection transport, HttpRequestHead head, WebSocketRequest request, HandshakeWatch watch)
    {
        while (true)
        {
            var result = await transport.Input.ReadAsync().ConfigureAwait(false);
            var buffer = result.Buffer;
            var status = head.TryRead(buffer, limits, out var end, out var error);
            if (status == HeadReadStatus.NeedMore)
            {
                transport.Input.AdvanceTo(buffer.Start, buffer.End);
                if (result.IsCompleted) throw new IOException("The peer ended the stream before its request was complete.");
                if (watch.Expired) return await RefuseAsync(transport, HandshakeError.HeadTimeout).ConfigureAwait(false);
                continue;
            }
            if (status == HeadReadStatus.Invalid)
            {
                transport.Input.AdvanceTo(buffer.End);
                return await RefuseAsync(transport, error).ConfigureAwait(false);
            }
            var verdict = WebSocketUpgrade.Validate(head, rules, out error, out _);
            Admission admission = default;
            var offers = HandshakeError.None;
            bool mapped = verdict != UpgradeVerdict.NotAnUpgrade && TryMatch(request, out admission, out offers);
            if (verdict == UpgradeVerdict.Accepted && offers != HandshakeError.None) (verdict, error) = (UpgradeVerdict.Refused, offers);
            if (!mapped && fallback is not null)
            {
                transport.Input.AdvanceTo(buffer.Start, buffer.Start);
                if (!watch.TryHandOn()) throw new IOException("The server takes no more connections.");
                fallback(transport);
                return new Admission(Outcome.HandedOn, null, null, default, null);
            }
            transport.Input.AdvanceTo(end);
            if (verdict != UpgradeVerdict.Accepted) return await RefuseAsync(transport, error).ConfigureAwait(false);
            if (!mapped) return await RefuseAsync(transport, 404, "No WebSocket is served at this path.").ConfigureAwait(false);
            UpgradeRefusal? refusal;
            try
            {
                refusal = await admission.Handler!.OnUpgradeAsync(request).ConfigureAwait(false);
                if (refusal is not null) UpgradeResponse.CheckRefusal(refusal.Status, refusal.Headers);
            }
            catch (Exception e)
            {
                logger.UpgradeHandlerFailed(e);
                refusal = new UpgradeRefusal(500, "The server failed to decide on this request.");
            }
            if (refusal is not null) return await RefuseAsync(transport, refusal.Status, refusal.Text, refusal.Headers).ConfigureAwait(false);
            if (!watch.TryAccept()) throw new IOException("The server takes no more connections.");
            UpgradeResponse.WriteAccepted(transport.Output, head, admission.Subprotocol, admission.Extensions);
            await transport.Output.FlushAsync().ConfigureAwait(false);
            return admission;
        }
    }

    /// <summary>Answers 503 without reading: there is no room.</summary>
    public async ValueTask TurnAwayAsync(TransportConnection transport)
    {
        try
        {
            await RefuseAsync(transport, 503, "Too many connections; try again later.", [new("Retry-After", "5")], linger: false).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            logger.HandshakeAbandoned(EndReason.PeerVanished);
        }
    }

    private static string[] Offers(HttpRequestHead head)
    {
        var offers = new List<string>(1);
        for (int i = head.IndexOf("sec-websocket-extensions"u8); i >= 0; i = head.IndexOf("sec-websocket-extensions"u8, i + 1))
            offers.Add(Encoding.Latin1.GetString(head.FieldValue(i)));
        return [.. offers];
    }

    private ValueTask<Admission> RefuseAsync(TransportConnection transport, HandshakeError error)
    {
        logger.HandshakeRefused(error.Status(), error.ToString());
        EngineMetrics.HandshakesRefused.Add(1, new KeyValuePair<string, object?>("status", error.Status()));
        UpgradeResponse.WriteError(transport.Output, error, time.GetUtcNow());
        return LingerAsync(transport);
    }

    private ValueTask<Admission> RefuseAsync(TransportConnection transport, int status, string text, IReadOnlyList<KeyValuePair<string, string>>? headers = null, bool linger = true)
    {
        logger.HandshakeRefused(status, text);
        EngineMetrics.HandshakesRefused.Add(1, new KeyValuePair<string, object?>("status", status));
        UpgradeResponse.WriteRefusal(transport.Output, status, text, time.GetUtcNow(), headers);
        return LingerAsync(transport, linger);
    }

    /// <summary>
    /// Sends the answer and, so that a reset does not overtake it, reads what the peer still sends, to its end; the handshake's time limit
    /// bounds that.
    /// </summary>
    private static async ValueTask<Admission> LingerAsync(TransportConnection transport, bool linger = true)
    {
        await transport.Output.FlushAsync().ConfigureAwait(false);
        await transport.ShutdownAsync().ConfigureAwait(false);
        while (linger)
        {
            var result = await transport.Input.ReadAsync().ConfigureAwait(false);
            transport.Input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted || result.IsCanceled) break;
        }
        return default;
    }
}
