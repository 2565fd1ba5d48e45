namespace FastChat.Server.Storage.Documents;

/// <summary>
/// Names put before the values of tables and JSON. They repeat, hence are kept short, and are left out once the text has grown to several
/// times its source: a file of one long name and very many values must not become a text that fills the memory.
/// </summary>
internal static class Labels
{
    private const int MaxLength = 120;
    private const int MaxGrowth = 4;
    private const int Free = 1 << 16;

    /// <summary>True while names may be written.</summary>
    public static bool Fit(int written, int sourceLength) => written < Free + (long)MaxGrowth * sourceLength;

    /// <summary>A name on one line, cut where it is too long.</summary>
    public static string Short(string name)
    {
        if (name.Length > MaxLength)
            name = name[..(char.IsHighSurrogate(name[MaxLength - 1]) ? MaxLength - 1 : MaxLength)] + "…";
        return name.ReplaceLineEndings(" ");
    }
}
