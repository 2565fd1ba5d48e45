using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

namespace FastChat.Compare.Servers;

/// <summary>The npm package ws under Node, installed at run time into a directory of its own among this user's data.</summary>
internal static class NodeServer
{
    private const string Package = """{ "name": "ws-echo", "private": true, "type": "module", "dependencies": { "ws": "^8.18.0" } }""";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    // What lies there is run: not in a place that others may write to.
    private static string Home => Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create), "fastchat-compare", "ws");

    /// <summary>The server, installed where it is not yet; or why there is none.</summary>
    public static async Task<(ServerDefinition? Server, string? Missing)> PrepareAsync(string name, CancellationToken cancellationToken)
    {
        if (await RunAsync(["node", "--version"], null, cancellationToken) is not { } node) return (null, "there is no Node");
        Directory.CreateDirectory(Home);
        string script = Path.Combine(Home, "ws-echo.mjs");
        await File.WriteAllTextAsync(script, Resources.Read(typeof(NodeServer), "ws-echo.mjs"), cancellationToken);
        string manifest = Path.Combine(Home, "node_modules", "ws", "package.json");
        if (!File.Exists(manifest))
        {
            await File.WriteAllTextAsync(Path.Combine(Home, "package.json"), Package, cancellationToken);
            string npm = OperatingSystem.IsWindows() ? "npm.cmd" : "npm";
            if (await RunAsync([npm, "install", "--silent", "--no-audit", "--no-fund"], Home, cancellationToken) is null || !File.Exists(manifest))
                return (null, "npm could not install ws");
        }
        using var package = JsonDocument.Parse(await File.ReadAllBytesAsync(manifest, cancellationToken));
        string version = package.RootElement.GetProperty("version").GetString()!;
        return (new ServerDefinition(name, ["node", script, "{port}"])
        {
            Description = "npm package ws, without compression",
            Version = $"ws {version}, Node {node.Trim().TrimStart('v')}",
        }, null);
    }

    /// <summary>What a program prints; null where it is not there, or fails, or takes too long.</summary>
    private static async Task<string?> RunAsync(string[] command, string? directory, CancellationToken cancellationToken)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command[0], command[1..])
            {
                WorkingDirectory = directory ?? "",
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(Patience);
            try
            {
                var output = process.StandardOutput.ReadToEndAsync(limit.Token);
                await Task.WhenAll(output, process.StandardError.ReadToEndAsync(limit.Token), process.WaitForExitAsync(limit.Token));
                return process.ExitCode == 0 ? await output : null;
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                cancellationToken.ThrowIfCancellationRequested();
                return null;
            }
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
