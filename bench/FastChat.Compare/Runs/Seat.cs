using FastChat.Compare.Load;
using FastChat.Compare.Servers;

namespace FastChat.Compare.Runs;

/// <summary>
/// A server's place in a round: its process, from its start to its end. One that ends too early is started anew for the next scenario, so
/// that it loses the figures of the one it did not survive and no more. With --url there is no process, only an address.
/// </summary>
internal sealed class Seat(ServerDefinition server, ComparisonOptions options, LoadClient client) : IDisposable
{
    private const double LeadIn = 0.3;
    private static readonly TimeSpan DyingTakes = TimeSpan.FromSeconds(1);

    private ServerProcess? _process;
    private string? _unstartable;

    public ServerDefinition Server => server;

    /// <summary>Of the process that runs; null while none does.</summary>
    public int? ProcessId => _process?.Id;

    /// <summary>Starts the process and has it carry some load that is not counted.</summary>
    public async Task OpenAsync(IReadOnlyList<Scenario> load, double seconds, CancellationToken cancellationToken)
    {
        if (!await StartAsync(cancellationToken) || seconds == 0) return;
        // Twice through all: what the first time through compiles, the second runs as compiled.
        foreach (var scenario in (Scenario[])[.. load, .. load]) await client.RunAsync(Order(scenario, 0, seconds / load.Count / 2), cancellationToken);
    }

    /// <summary>Runs a scenario; a server that does not start, or ends in the middle, is a result too.</summary>
    public async Task<LoadResult> MeasureAsync(Scenario scenario, CancellationToken cancellationToken)
    {
        if (_process is { HasExited: true })
        {
            Dispose();
            await OpenAsync([scenario], options.WarmUp, cancellationToken);
        }
        if (_unstartable is not null) return new LoadResult { Error = _unstartable };
        var result = await client.RunAsync(scenario.IsIdle ? Order(scenario, 0, 0) : Order(scenario, LeadIn, options.Seconds), cancellationToken);
        if (result.Error is null || _process is null || !await _process.HasEndedAsync(DyingTakes, cancellationToken)) return result;
        // Ctrl+C reaches the server too, which is no failure of its.
        cancellationToken.ThrowIfCancellationRequested();
        return new LoadResult { Error = _process.Obituary };
    }

    public void Dispose()
    {
        _process?.Dispose();
        _process = null;
    }

    private async Task<bool> StartAsync(CancellationToken cancellationToken)
    {
        if (options.Url is not null) return true;
        try
        {
            _process = await ServerProcess.StartAsync(server, options.ServerCpus, cancellationToken);
            return true;
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            _unstartable = e is InvalidOperationException ? e.Message : $"{server.Name} does not start: {e.Message}";
            return false;
        }
    }

    private LoadOrder Order(Scenario scenario, double leadIn, double seconds) => options.Url is { } url
        ? new LoadOrder(url.Host, url.Port, url.PathAndQuery, scenario, leadIn, seconds) { ProcessId = options.ProcessId }
        : new LoadOrder("127.0.0.1", _process!.Port, server.Path, scenario, leadIn, seconds) { ProcessId = _process.Id, ServerCpu = options.ServerCpus is [var cpu] ? cpu : null };
}
