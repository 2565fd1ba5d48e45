using Microsoft.Extensions.Configuration;

namespace FastChat.Server.Configuration;

/// <summary>
/// Where settings come from, the later winning: appsettings.json beside the program, appsettings.json in the working directory,
/// <c>FASTCHAT_*</c> variables (<c>FASTCHAT_AUTH__ISSUER</c> is <c>Auth:Issuer</c>), flags.
/// </summary>
internal static class ServerConfiguration
{
    private const string FileName = "appsettings.json";
    private const string Prefix = "FASTCHAT_";

    /// <summary>Reads them all once. Throws an <see cref="InvalidDataException"/> that names a file which is no JSON.</summary>
    /// <param name="workingDirectory">Where the command was given.</param>
    /// <param name="environment">The environment's variables.</param>
    /// <param name="flags">Settings by key, as flags gave them.</param>
    public static IConfigurationRoot Build(
        string workingDirectory, IReadOnlyDictionary<string, string> environment, IEnumerable<KeyValuePair<string, string?>> flags)
    {
        var builder = new ConfigurationBuilder();
        foreach (string directory in (string[])[AppContext.BaseDirectory, workingDirectory])
        {
            builder.Add<Microsoft.Extensions.Configuration.Json.JsonConfigurationSource>(source =>
            {
                source.Path = Path.GetFullPath(Path.Combine(directory, FileName));
                source.Optional = true;
                source.ResolveFileProvider();
            });
        }
        return builder.AddInMemoryCollection(Variables(environment)).AddInMemoryCollection(flags).Build();
    }

    private static IEnumerable<KeyValuePair<string, string?>> Variables(IReadOnlyDictionary<string, string> environment) => environment
        .Where(variable => variable.Key.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
        .Select(variable => KeyValuePair.Create(
            variable.Key[Prefix.Length..].Replace("__", ConfigurationPath.KeyDelimiter, StringComparison.Ordinal), (string?)variable.Value));
}
