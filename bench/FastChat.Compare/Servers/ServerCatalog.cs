using System.Diagnostics;
using System.Runtime.InteropServices;

namespace FastChat.Compare.Servers;

/// <summary>The servers that can be compared: those built in, and those of a file.</summary>
internal static class ServerCatalog
{
    public const string NodeName = "node-ws";

    /// <summary>Those that need nothing but .NET.</summary>
    public static IReadOnlyList<ServerDefinition> BuiltIn { get; } = Create();

    /// <summary>Finds servers by name.</summary>
    /// <param name="names">Which; null for all that this machine has.</param>
    /// <param name="further">Those of a file.</param>
    /// <param name="warn">Told what is left out, and why.</param>
    /// <param name="cancellationToken">Ends an installation.</param>
    /// <exception cref="ArgumentException">A name is unknown or has two meanings, or what it names is not there.</exception>
    public static async Task<IReadOnlyList<ServerDefinition>> ChooseAsync(
        IReadOnlyList<string>? names, IReadOnlyList<ServerDefinition> further, Action<string> warn, CancellationToken cancellationToken)
    {
        ServerDefinition[] known = [.. BuiltIn, .. further];
        if (known.Select(s => s.Name).Append(NodeName).GroupBy(n => n).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new ArgumentException($"'{twice.Key}' is a server of this program: the file has to give its own another name.");
        var chosen = new List<ServerDefinition>();
        foreach (string name in names ?? [.. BuiltIn.Select(s => s.Name), NodeName, .. further.Select(s => s.Name)])
        {
            if (known.FirstOrDefault(s => s.Name == name) is { } server)
            {
                if (names is not null || OperatingSystem.IsLinux() || name != "fastchat-epoll") chosen.Add(server);
                continue;
            }
            if (name != NodeName) throw new ArgumentException($"There is no server '{name}'. There are: {string.Join(", ", known.Select(s => s.Name).Append(NodeName))}.");
            var (node, missing) = await NodeServer.PrepareAsync(NodeName, cancellationToken);
            if (node is not null) chosen.Add(node);
            else if (names is null) warn($"{NodeName} is left out: {missing}.");
            else throw new ArgumentException($"{NodeName}: {missing}.");
        }
        return chosen;
    }

    private static ServerDefinition[] Create()
    {
        string fastChat = Version(Path.Combine("echo", "FastChat.Core.dll"));
        string net = RuntimeInformation.FrameworkDescription;
        // ASP.NET Core's default is the server collector. On one core it turns itself off, unless told that there are two.
        var serverGc = new Dictionary<string, string> { ["DOTNET_gcServer"] = "1", ["DOTNET_PROCESSOR_COUNT"] = "2" };
        return
        [
            FastChat("fastchat-epoll", "epoll", "FastChat.Core, epoll transport"),
            FastChat("fastchat-sockets", "sockets", "FastChat.Core, sockets transport"),
            new("kestrel", ThisProgram.Command("serve", "kestrel", "{port}")) { Description = "ASP.NET Core's WebSockets on Kestrel", Version = net },
            new("kestrel-server-gc", ThisProgram.Command("serve", "kestrel", "{port}")) { Description = "the same with the server collector", Version = net, Environment = serverGc },
            new("inbox", ThisProgram.Command("serve", "inbox", "{port}")) { Description = "System.Net.WebSockets on a raw socket", Version = net },
        ];

        ServerDefinition FastChat(string name, string transport, string description) =>
            new(name, DotnetHost.Command(Path.Combine("echo", "FastChat.Echo.dll"), "--port", "{port}", "--transport", transport, "--loops", "{loops}", "--max-message", "16777216", "--until-input-ends"))
            {
                Description = description,
                Version = $"{fastChat}, {net}",
            };
    }

    private static string Version(string assembly)
    {
        string file = Path.Combine(AppContext.BaseDirectory, assembly);
        string version = File.Exists(file) ? FileVersionInfo.GetVersionInfo(file).ProductVersion ?? "" : "";
        // 0.1.0+<commit>: the beginning of it says enough.
        int plus = version.IndexOf('+', StringComparison.Ordinal);
        return plus > 0 && version.Length > plus + 9 ? version[..(plus + 9)] : version;
    }
}
