using System.Collections.Concurrent;
using System.Diagnostics;

namespace FastChat.Browser.Tests;

/// <summary>A server in a process of its own, with a data directory of its own, that can be killed and started again on the same port.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private const string Ready = "FastChat accepts connections on ";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("fastchat-browser-");
    private readonly ConcurrentQueue<string> _log = new();
    private readonly TimeSpan _wordDelay;
    private Process? _process;

    private ServerProcess(TimeSpan wordDelay) => _wordDelay = wordDelay;

    public Uri Address { get; private set; } = new("http://127.0.0.1:0");

    /// <param name="wordDelay">The pause after each word of an answer.</param>
    public static async Task<ServerProcess> StartAsync(TimeSpan wordDelay)
    {
        var server = new ServerProcess(wordDelay);
        await server.StartAsync();
        return server;
    }

    /// <summary>Starts it, again on the same port where it has run before. Returns when it accepts connections.</summary>
    public async Task StartAsync()
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _data.FullName,
            ArgumentList =
            {
                Path.Combine(AppContext.BaseDirectory, "fastchat.dll"), "serve", "--data", _data.FullName, "--port", $"{Address.Port}",
            },
            Environment =
            {
                ["FASTCHAT_Models__0__Name"] = "offline",
                ["FASTCHAT_Models__0__Provider"] = "offline",
                ["FASTCHAT_Models__0__WordDelay"] = _wordDelay.ToString("c"),
            },
        };
        var process = _process = Process.Start(start) ?? throw new InvalidOperationException("The server did not start.");
        process.ErrorDataReceived += (_, line) => _log.Enqueue(line.Data ?? "");
        process.BeginErrorReadLine();
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
}
