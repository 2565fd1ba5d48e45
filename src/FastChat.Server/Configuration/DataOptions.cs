namespace FastChat.Server.Configuration;

/// <summary>Where the server and the commands beside it keep things.</summary>
/// <param name="Directory">The data directory: the store and the signing keys. Made when first needed.</param>
/// <param name="Store">The store's name.</param>
internal sealed record DataOptions(string Directory, string Store)
{
    private const string Sqlite = "sqlite";
    private const string LiteDb = "litedb";
    private const string Postgres = "postgres";

#if LITEDB
    private const string DefaultStore = LiteDb;
#else
    private const string DefaultStore = Sqlite;
#endif

    /// <summary>Reads <c>Data</c> and <c>Store</c>; mistakes are noted in the reader.</summary>
    public static DataOptions Read(SettingsReader settings, string workingDirectory)
    {
        string directory = Path.GetFullPath(settings.Text("Data") ?? "data", workingDirectory);
        string store = (settings.Text("Store") ?? DefaultStore).ToLowerInvariant();
        if (File.Exists(directory))
            settings.Add([$"Data: {directory} is a file, not a directory."]);
        if (Mistake(store) is { } mistake)
            settings.Add([mistake]);
        return new DataOptions(directory, store);
    }

    private static string? Mistake(string store) => store switch
    {
        Sqlite => null,
#if LITEDB
        LiteDb => null,
#else
        LiteDb => "Store: litedb is not in this build; a build with -p:LiteDB=true has it.",
#endif
        Postgres => "Store: postgres is not in this build, and no build switch adds it yet; sqlite is.",
        _ => "Store must be sqlite, or litedb in a build with -p:LiteDB=true.",
    };
}
