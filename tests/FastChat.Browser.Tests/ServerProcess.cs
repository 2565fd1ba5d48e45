using System.Collections.Concurrent;
using System.Diagnostics;

namespace FastChat.Browser.Tests;

/// <summary>A server in a process of its own, with a data directory of its own, that can be killed and started again on the same port.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private const string Ready = "FastChat accepts connections on ";
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(2 * Visitor.TimeoutMs);

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("fastchat-browser-");
    private readonly ConcurrentQueue<string> _log = new();
    private readonly IReadOnlyDictionary<string, string> _settings;
    private Process? _process;

    private ServerProcess(IReadOnlyDictionary<string, string> settings) => _settings = settings;

    public Uri Address { get; private set; } = new("http://127.0.0.1:0");

    /// <param name="settings">What differs from the defaults, by the keys of the configuration.</param>
    public static async Task<ServerProcess> StartAsync(IReadOnlyDictionary<string, string> settings)
    {
        var server = new ServerProcess(settings);
        await server.StartAsync();
        return server;
    }

    /// <summary>Starts it, again on the same port where it has run before. Returns when it accepts connections.</summary>
    public async Task StartAsync()
    {
        var process = _process = Start("serve", "--port", $"{Address.Port}");
        while (true)
        {
            string? line = await process.StandardOutput.ReadLineAsync().WaitAsync(Limit);
            if (line is null)
                throw new InvalidOperationException($"The server ended before it was ready.\n{string.Join('\n', _log)}");
            if (!line.StartsWith(Ready, StringComparison.Ordinal))
                continue;
            Address = new Uri(line[Ready.Length..].Trim());
            return;
        }
    }

    /// <summary>Makes a token as an operator does.</summary>
    public async Task<string> TokenAsync(string name, string expires)
    {
        using var command = Start("token", name, "--expires", expires);
        string token = await command.StandardOutput.ReadToEndAsync().WaitAsync(Limit);
        await command.WaitForExitAsync().WaitAsync(Limit);
        Assert.True(command.ExitCode == 0, string.Join('\n', _log));
        return token.Trim();
    }

    /// <summary>SIGKILL: it gets no chance to write anything down.</summary>
    public async Task KillAsync()
    {
        if (_process is not { } process)
            return;
        process.Kill();
        await process.WaitForExitAsync().WaitAsync(Limit);
        process.Dispose();
        _process = null;
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _data.Delete(recursive: true);
    }

    private Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _data.FullName,
        };
        foreach (string argument in (string[])[Path.Combine(AppContext.BaseDirectory, "fastchat.dll"), .. arguments, "--data", _data.FullName])
            start.ArgumentList.Add(argument);
        foreach (var (key, value) in _settings)
            start.Environment[$"FASTCHAT_{key.Replace(":", "__", StringComparison.Ordinal)}"] = value;
        var process = Process.Start(start) ?? throw new InvalidOperationException("The server did not start.");
        process.ErrorDataReceived += (_, line) => _log.Enqueue(line.Data ?? "");
        process.BeginErrorReadLine();
        return process;
    }
}
