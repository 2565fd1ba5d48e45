using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace FastChat.Compare.Servers;

/// <summary>A server that runs, on loopback; disposing of it kills it.</summary>
internal sealed class ServerProcess : IDisposable
{
    private const int KeptLines = 20;
    private const int ToldChars = 240;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly Queue<string> _output = new();

    private ServerProcess(Process process, int port)
    {
        (_process, Port) = (process, port);
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public int Port { get; }

    public bool HasExited => _process.HasExited;

    /// <summary>Starts a server on a free port and waits until it listens.</summary>
    /// <exception cref="InvalidOperationException">It ended, or does not listen in time.</exception>
    public static async Task<ServerProcess> StartAsync(ServerDefinition definition, IReadOnlyList<int> cpus, CancellationToken cancellationToken)
    {
        int port = FreePort();
        string[] command = [.. definition.CommandFor(port, Math.Max(1, cpus.Count))];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = definition.WorkingDirectory ?? "",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in definition.Environment) start.Environment[name] = value;
        var server = new ServerProcess(CpuPinning.Start(start, cpus), port);
        try
        {
            await server.WaitUntilItListensAsync(definition.Name, cancellationToken);
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit(TimeSpan.FromSeconds(5));
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
        _process.Dispose();
    }

    private static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    private async Task WaitUntilItListensAsync(string name, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            if (_process.HasExited) throw new InvalidOperationException($"{name} ended with {_process.ExitCode}: {Output()}");
            try
            {
                using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await probe.ConnectAsync(IPAddress.Loopback, Port, cancellationToken);
                return;
            }
            catch (SocketException) when (Stopwatch.GetElapsedTime(start) < Patience)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
            }
            catch (SocketException)
            {
                throw new InvalidOperationException($"{name} does not listen on port {Port} after {Patience.TotalSeconds:0} s: {Output()}");
            }
        }
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_output)
        {
            _output.Enqueue(line);
            if (_output.Count > KeptLines) _output.Dequeue();
        }
    }

    private string Output()
    {
        string said;
        lock (_output) said = string.Join(" | ", _output);
        return said.Length == 0 ? "it said nothing." : said.Length <= ToldChars ? said : said[..ToldChars] + "...";
    }
}
