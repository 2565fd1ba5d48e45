namespace FastChat.Compare.Servers;

/// <summary>An echo server and how to start it.</summary>
/// <param name="Name">As given to --servers.</param>
/// <param name="Command">Program and arguments; <c>{port}</c> stands for the port on 127.0.0.1 to listen on, <c>{loops}</c> for the number of its CPUs.</param>
internal sealed record ServerDefinition(string Name, IReadOnlyList<string> Command)
{
    /// <summary>What it is, for the report.</summary>
    public string Description { get; init; } = "";

    /// <summary>Version of what is measured; empty where it is not known.</summary>
    public string Version { get; init; } = "";

    /// <summary>Environment variables it gets beside this process's own.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Where it is started; null for the current directory.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>The path to upgrade at.</summary>
    public string Path { get; init; } = "/";

    /// <summary>The command for a port and a number of CPUs.</summary>
    public IEnumerable<string> CommandFor(int port, int cpus) => Command.Select(part => part
        .Replace("{port}", port.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal)
        .Replace("{loops}", cpus.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal));
}
