namespace FastChat.Handshake;

/// <summary>RFC 6455 section 4.1: subprotocols are non-empty tokens, and all different.</summary>
internal static class SubprotocolNames
{
    public static void Check(IEnumerable<string> names, string parameter)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string name in names)
        {
            if (!HttpSyntax.IsToken(name)) throw new ArgumentException($"The subprotocol '{name}' is not a token.", parameter);
            if (!seen.Add(name)) throw new ArgumentException($"The subprotocol '{name}' comes twice.", parameter);
        }
    }
}
