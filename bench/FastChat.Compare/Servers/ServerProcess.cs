using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace FastChat.Compare.Servers;

/// <summary>A server that runs, on loopback; disposing of it kills it.</summary>
internal sealed class ServerProcess : IDisposable
{
    private const int ToldChars = 240;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _name;
    private readonly Process _process;
    private readonly LastWords _said = new();

    private ServerProcess(string name, Process process, int port)
    {
        (_name, _process, Port) = (name, process, port);
        process.OutputDataReceived += (_, e) => _said.Add(e.Data);
        process.ErrorDataReceived += (_, e) => _said.Add(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public int Port { get; }

    public bool HasExited => _process.HasExited;

    /// <summary>How it ended, and what it said last.</summary>
    public string Obituary => $"{_name} ended with {_process.ExitCode}: {_said.Text(ToldChars)}";

    /// <summary>Starts a server on a free port and waits until it listens.</summary>
    /// <exception cref="InvalidOperationException">It ended, or does not listen in time.</exception>
    /// <exception cref="Win32Exception">There is no such program, or it may not be run.</exception>
    public static async Task<ServerProcess> StartAsync(ServerDefinition definition, IReadOnlyList<int> cpus, CancellationToken cancellationToken)
    {
        try
        {
            return await StartAsync(definition, FreePort(), cpus, cancellationToken);
        }
        catch (InvalidOperationException e) when (e.InnerException is null)
        {
            // Between our looking for a port and its listening there, somebody else may have taken it.
            return await StartAsync(definition, FreePort(), cpus, cancellationToken);
        }
    }

    private static async Task<ServerProcess> StartAsync(ServerDefinition definition, int port, IReadOnlyList<int> cpus, CancellationToken cancellationToken)
    {
        string[] command = [.. definition.CommandFor(port, Math.Max(1, cpus.Count))];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = definition.WorkingDirectory ?? "",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in definition.Environment) start.Environment[name] = value;
        var server = new ServerProcess(definition.Name, CpuPinning.Start(start, cpus), port);
        try
        {
            await server.WaitUntilItListensAsync(cancellationToken);
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    /// <summary>Whether it has ended, or does so within this time.</summary>
    public async Task<bool> HasEndedAsync(TimeSpan within, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(within);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
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

    private async Task WaitUntilItListensAsync(CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            if (_process.HasExited)
            {
                await _process.WaitForExitAsync(cancellationToken); // until all that it said has been read
                throw new InvalidOperationException(Obituary);
            }
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
            catch (SocketException e)
            {
                throw new InvalidOperationException($"{_name} does not listen on port {Port} after {Patience.TotalSeconds:0} s: {_said.Text(ToldChars)}", e);
            }
        }
    }
}
