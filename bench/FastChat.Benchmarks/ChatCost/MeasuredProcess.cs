using System.Diagnostics;
using System.Globalization;
using FastChat.Measure;

namespace FastChat.Benchmarks.ChatCost;

/// <summary>What a process has used so far.</summary>
/// <param name="CpuSeconds">User and kernel time.</param>
/// <param name="Allocated">Bytes allocated on its managed heap.</param>
/// <param name="Collections">Garbage collections.</param>
internal readonly record struct Usage(double CpuSeconds, long Allocated, long Collections)
{
    public static Usage operator -(Usage later, Usage earlier) =>
        new(later.CpuSeconds - earlier.CpuSeconds, later.Allocated - earlier.Allocated, later.Collections - earlier.Collections);
}

/// <summary>A .NET server in a process of its own, on one CPU where there are more, with <see cref="StartupHook"/> inside. Disposing of it kills it.</summary>
internal sealed class MeasuredProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;

    private MeasuredProcess(Process process) => _process = process;

    /// <summary>Where it listens.</summary>
    public int Port { get; private init; }

    /// <summary>Resident memory in bytes; null where the system does not tell.</summary>
    public long? Rss => ProcessSampler.RssBytes(_process.Id);

    /// <summary>Starts an assembly that lies beside this one, and waits until it says on which port it listens.</summary>
    /// <exception cref="InvalidOperationException">It ended instead.</exception>
    public static async Task<MeasuredProcess> StartAsync(string assembly, string[] arguments, params (string Name, string Value)[] environment)
    {
        string[] command = DotnetHost.Command(assembly, arguments);
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(StartupHook).Assembly.Location;
        var process = CpuPinning.Start(start, Environment.ProcessorCount > 1 ? [0] : []);
        while (await process.StandardOutput.ReadLineAsync().WaitAsync(Patience) is { } line)
        {
            if (int.TryParse(line.AsSpan(line.LastIndexOf(':') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port))
                return new MeasuredProcess(process) { Port = port };
        }
        throw new InvalidOperationException($"{assembly} ended.");
    }

    /// <summary>Asks the probe inside.</summary>
    public async Task<Usage> ReadAsync()
    {
        await _process.StandardInput.WriteLineAsync(StartupHook.Question);
        await _process.StandardInput.FlushAsync();
        string answer = await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience) ?? throw new InvalidOperationException("The server ended.");
        string[] numbers = answer.Split(' ');
        return new Usage(double.Parse(numbers[0], CultureInfo.InvariantCulture), long.Parse(numbers[1], CultureInfo.InvariantCulture),
            long.Parse(numbers[2], CultureInfo.InvariantCulture));
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit(Patience);
        _process.Dispose();
    }
}
