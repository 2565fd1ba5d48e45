using System.Text;

namespace FastChat.Handshake;

/// <summary>What a server, or one of its paths, wants of an upgrade beyond RFC 6455. Immutable and thread-safe.</summary>
internal sealed class UpgradeRules
{
    private readonly (string Name, byte[] Bytes)[] _subprotocols;

    /// <param name="origins">Null lets pages of every origin connect.</param>
    /// <param name="subprotocols">Those the server speaks, the one it likes best first.</param>
    /// <exception cref="ArgumentException">A subprotocol is not a token (RFC 6455 section 4.1), or comes twice.</exception>
    public UpgradeRules(OriginPolicy? origins = null, IEnumerable<string>? subprotocols = null)
    {
        Origins = origins;
        _subprotocols = [.. (subprotocols ?? []).Select(name => (name, Encoding.ASCII.GetBytes(name)))];
        SubprotocolNames.Check(_subprotocols.Select(s => s.Name), nameof(subprotocols));
    }

    /// <summary>No wishes: any origin, no subprotocol.</summary>
    public static UpgradeRules None { get; } = new();

    public OriginPolicy? Origins { get; }

    /// <summary>The first of the server's subprotocols that the client offers too; case-sensitive. Null where there is none.</summary>
    public string? SelectSubprotocol(HttpRequestHead head)
    {
        foreach (var (name, bytes) in _subprotocols)
            foreach (var offered in head.List("sec-websocket-protocol"u8))
                if (offered.SequenceEqual(bytes)) return name;
        return null;
    }
}
