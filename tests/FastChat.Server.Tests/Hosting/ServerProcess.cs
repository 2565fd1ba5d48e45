using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace FastChat.Server.Tests.Hosting;

/// <summary>The server as users start it: the program in a process of its own, in a directory of its own.</summary>
internal sealed partial class ServerProcess : IDisposable
{
    private const int Sighup = 1, Sigint = 2;

    private readonly Process _process;
    private readonly StringBuilder _errors = new();

    // A shell has what it runs in the background ignore SIGINT, and nohup SIGHUP. The server would inherit that from the tests, and be deaf to it.
    static ServerProcess()
    {
        const string line = "SigIgn:";
        if (!OperatingSystem.IsLinux())
            return;
        string ignored = File.ReadLines("/proc/self/status").First(l => l.StartsWith(line, StringComparison.Ordinal))[line.Length..].Trim();
        foreach (int signal in (int[])[Sighup, Sigint])
            if ((ulong.Parse(ignored, NumberStyles.HexNumber, CultureInfo.InvariantCulture) & (1UL << (signal - 1))) != 0)
                SetSignal(signal, 0);
    }

    private ServerProcess(Process process) => _process = process;

    public Uri Address { get; private set; } = null!;

    /// <summary>What stood on standard error so far.</summary>
    public string Errors { get { lock (_errors) return _errors.ToString(); } }

    /// <summary>Starts it and waits for its one line.</summary>
    public static Task<ServerProcess> StartAsync(DirectoryInfo directory, params string[] arguments) => StartAsync(Program(arguments), directory);

    /// <summary>The same, with at most so many descriptors.</summary>
    public static Task<ServerProcess> StartWithinAsync(int descriptors, DirectoryInfo directory, params string[] arguments) =>
        StartAsync(Within(descriptors, arguments), directory);

    private static async Task<ServerProcess> StartAsync(string[] command, DirectoryInfo directory)
    {
        var server = new ServerProcess(Start(command, directory));
        server._process.ErrorDataReceived += (_, e) => { lock (server._errors) server._errors.AppendLine(e.Data); };
        server._process.BeginErrorReadLine();
        string? line = await server._process.StandardOutput.ReadLineAsync().WaitAsync(TestServer.Patience);
        const string ready = "FastChat accepts connections on ";
        Assert.True(line?.StartsWith(ready, StringComparison.Ordinal) is true, $"{line}\n{server.Errors}");
        server.Address = new Uri(line![ready.Length..]);
        return server;
    }

    /// <summary>Runs a command to its end.</summary>
    public static Task<(int ExitCode, string Output, string Errors)> RunAsync(DirectoryInfo directory, params string[] arguments) =>
        RunAsync(Program(arguments), directory);

    /// <summary>The same, with at most so many descriptors.</summary>
    public static Task<(int ExitCode, string Output, string Errors)> RunWithinAsync(int descriptors, DirectoryInfo directory, params string[] arguments) =>
        RunAsync(Within(descriptors, arguments), directory);

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(string[] command, DirectoryInfo directory)
    {
        using var process = Start(command, directory);
        var errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync().WaitAsync(TestServer.Patience);
        await process.WaitForExitAsync().WaitAsync(TestServer.Patience);
        return (process.ExitCode, output, await errors);
    }

    private static string[] Program(string[] arguments) =>
        [Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", "exec", typeof(FastChat.Server.Hosting.FastChatHosting).Assembly.Location, .. arguments];

    private static string[] Within(int descriptors, string[] arguments) =>
        ["sh", "-c", "ulimit -n $0 && exec \"$@\"", $"{descriptors}", .. Program(arguments)];

    private static Process Start(string[] command, DirectoryInfo directory) => Process.Start(new ProcessStartInfo(command[0], command[1..])
    {
        WorkingDirectory = directory.FullName,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetSignal(int signal, nint handler);

    public void Kill() => _process.Kill();

    /// <summary>Sends a signal by its name and waits for the end.</summary>
    public async Task<int> SignalAsync(string signal)
    {
        await SendAsync(signal);
        return await WaitAsync();
    }

    /// <summary>Sends a signal by its name.</summary>
    public async Task SendAsync(string signal)
    {
        using var kill = Process.Start("kill", ["-s", signal, $"{_process.Id}"]);
        await kill.WaitForExitAsync().WaitAsync(TestServer.Patience);
    }

    public async Task<int> WaitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(TestServer.Patience);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        _process.Kill();
        _process.Dispose();
    }
}
