using FastChat.Protocol.Compression;

namespace FastChat.Connections;

/// <summary>
/// What a handshake agreed on beyond the plain case. The inflater is the connection's to dispose of; the deflater its <see cref="FrameSender"/>'s,
/// under whose lock alone it is used.
/// </summary>
internal sealed record Agreement(IReadOnlyDictionary<string, string> RouteValues, string? Subprotocol, MessageInflater? Inflater, MessageDeflater? Deflater)
{
    public bool IsCompressed => Inflater is not null;

    /// <summary>Null where there is nothing to say, so that a plain connection carries nothing.</summary>
    public static Agreement? Of(IReadOnlyDictionary<string, string> routeValues, string? subprotocol, MessageInflater? inflater, MessageDeflater? deflater) =>
        routeValues.Count == 0 && subprotocol is null && inflater is null ? null : new Agreement(routeValues, subprotocol, inflater, deflater);
}
