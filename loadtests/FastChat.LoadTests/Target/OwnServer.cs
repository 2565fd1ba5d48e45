using System.Diagnostics;
using System.Security.Cryptography;
using FastChat.LoadTests.Load;

namespace FastChat.LoadTests.Target;

/// <summary>A FastChat.Server in a process and a temporary directory of its own, on a free port of loopback. Disposing of it ends both.</summary>
internal sealed class OwnServer : IAsyncDisposable
{
    private const string Prefix = "FASTCHAT_";
    private const string Ready = "FastChat accepts connections on ";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _data;
    private readonly Process _process;
    private readonly LastWords _said = new();

    private OwnServer(DirectoryInfo data, Process process, string secret)
    {
        (_data, _process, Secret) = (data, process, secret);
        process.ErrorDataReceived += (_, e) => _said.Add(e.Data);
        process.BeginErrorReadLine();
    }

    public int ProcessId => _process.Id;

    public Uri Address { get; private set; } = null!;

    /// <summary>What it verifies tokens with.</summary>
    public string Secret { get; }

    public bool HasExited => _process.HasExited;

    /// <summary>Why it is no more, with all that it said; null while it runs.</summary>
    public async Task<string?> FailureAsync()
    {
        if (!HasExited) return null;
        await _process.WaitForExitAsync().WaitAsync(Patience); // for the rest of its output
        return $"The server ended with exit code {_process.ExitCode}: {_said.Text()}";
    }

    /// <summary>Whether a setting of the server is none that a run may choose.</summary>
    public static bool IsSetHere(string key) => key.ToUpperInvariant() is "PORT" or "HOST" or "DATA" or "AUTH:SECRET";

    /// <summary>Starts it and waits until it accepts connections.</summary>
    /// <param name="settings">Beyond those that every load test needs, by the keys of the configuration.</param>
    /// <param name="cpus">CPUs that it may use; none for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LoadException">It did not start.</exception>
    public static async Task<OwnServer> StartAsync(IEnumerable<KeyValuePair<string, string>> settings, IReadOnlyList<int> cpus, CancellationToken cancellationToken)
    {
        var data = Directory.CreateTempSubdirectory("fastchat-load-");
        string secret = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
        string[] command = DotnetHost.Command(Path.Combine("server", "fastchat.dll"), "serve", "--port", "0", "--host", "127.0.0.1", "--data", data.FullName, "--until-input-ends");
        var start = new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = data.FullName, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        // It is what is said here that is measured, and not what this shell has set for another server.
        foreach (string name in start.Environment.Keys.Where(n => n.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)).ToArray()) start.Environment.Remove(name);
        Dictionary<string, string> all = new(Defaults(secret), StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in settings) all[key] = value;
        foreach (var (key, value) in all) start.Environment[Prefix + key.Replace(":", "__", StringComparison.Ordinal)] = value;
        OwnServer server;
        try
        {
            server = new OwnServer(data, CpuPinning.Start(start, cpus), secret);
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            data.Delete(recursive: true);
            throw new LoadException($"The server cannot be started: {e.Message}", e);
        }
        try
        {
            await server.WaitUntilReadyAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync().WaitAsync(Patience);
        _process.Dispose();
        try
        {
            _data.Delete(recursive: true);
        }
        catch (IOException)
        {
            // A scanner may hold a file; the directory is the system's temporary one.
        }
    }

    // Limits that protect a server from its users are not what is measured. All stay finite.
    private static Dictionary<string, string> Defaults(string secret) => new()
    {
        ["Auth:Secret"] = secret,
        ["RateLimits:PerMinute"] = "1000000",
        ["RateLimits:PerHour"] = "60000000",
        ["Limits:MaxConnections"] = "200000",
        ["Limits:MaxConnectionsPerAddress"] = "200000",
        ["Chat:MaxConcurrentGenerations"] = "200000",
        // Sessions are opened beforehand, and wait for their sockets.
        ["Chat:SessionGracePeriod"] = "30m",
        ["Chat:SessionIdleTimeout"] = "23h",
        ["Logging:LogLevel:Default"] = "Warning",
        ["Page"] = "false",
    };

    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            while (await _process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            {
                if (!line.StartsWith(Ready, StringComparison.Ordinal)) continue;
                Address = new Uri(line[Ready.Length..].Trim());
                // Nothing more is expected, but a full pipe would stop whoever writes to it.
                _ = _process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
                return;
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new LoadException($"The server does not accept connections after {Patience.TotalSeconds:0} s: {_said.Text()}");
        }
        await _process.WaitForExitAsync(cancellationToken);
        throw new LoadException((await FailureAsync())!);
    }
}
