using FastChat.Compare.Servers;

namespace FastChat.Compare.Runs;

/// <summary>
/// Runs every server in every scenario, round after round. In a round all servers are started and warmed up, and then take turns scenario by
/// scenario, each time beginning with another one: the speed of a machine drifts within minutes, and what is compared is measured within
/// seconds. Who is not in turn sleeps.
/// </summary>
/// <param name="options">How.</param>
/// <param name="servers">Which.</param>
/// <param name="roundsBefore">Rounds that have been run already, and are counted on from.</param>
/// <param name="log">Gets a line for each run.</param>
internal sealed class Comparison(ComparisonOptions options, IReadOnlyList<ServerDefinition> servers, int roundsBefore, Action<string> log)
{
    // A run that others disturbed is repeated, while they go away in time.
    private const int MostRepeats = 2;
    private const double RehearsalSeconds = 0.25;
    // Before its memory is looked at, a server has run the code that connections need.
    private static readonly Scenario Rehearsal = new("rehearsal", "", 50, 64) { Polls = false };

    private readonly List<Run> _runs = [];

    /// <summary>Runs until done, or cancelled: what there is by then is the result.</summary>
    public async Task<IReadOnlyList<Run>> RunAsync(CancellationToken cancellationToken)
    {
        using var client = new LoadClient(options.ClientCpus);
        try
        {
            for (int round = roundsBefore + 1; round <= roundsBefore + options.Rounds; round++)
            {
                await RunActiveAsync(round, client, cancellationToken);
                await RunIdleAsync(round, client, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            log("Stopped before the end; the report has what was measured until then.");
        }
        return _runs;
    }

    private async Task RunActiveAsync(int round, LoadClient client, CancellationToken cancellationToken)
    {
        Scenario[] active = [.. options.Scenarios.Where(s => !s.IsIdle)];
        if (active.Length == 0) return;
        Seat[] seats = [.. servers.Select(server => new Seat(server, options, client))];
        try
        {
            foreach (var seat in seats) await seat.OpenAsync(active, options.WarmUp, cancellationToken);
            for (int s = 0; s < active.Length; s++)
                for (int i = 0; i < seats.Length; i++) await MeasureAsync(seats[(i + s + round) % seats.Length], active[s], round, cancellationToken);
        }
        finally
        {
            foreach (var seat in seats) seat.Dispose();
        }
    }

    /// <summary>Memory is that of a process which has done nothing else.</summary>
    private async Task RunIdleAsync(int round, LoadClient client, CancellationToken cancellationToken)
    {
        foreach (var scenario in options.Scenarios.Where(s => s.IsIdle))
        {
            for (int i = 0; i < servers.Count; i++)
            {
                using var seat = new Seat(servers[(i + round) % servers.Count], options, client);
                await seat.OpenAsync([Rehearsal], RehearsalSeconds * 2, cancellationToken);
                await MeasureAsync(seat, scenario, round, cancellationToken);
            }
        }
    }

    private async Task MeasureAsync(Seat seat, Scenario scenario, int round, CancellationToken cancellationToken)
    {
        for (int i = 0; i <= MostRepeats; i++)
        {
            var run = new Run(seat.Server.Name, scenario.Name, round, await seat.MeasureAsync(scenario, cancellationToken));
            _runs.Add(run);
            log($"round {round}  {run.Server,-18} {run.Scenario,-10} {Describe(run, scenario)}");
            if (run.IsClean || run.Result.Error is not null) return;
        }
    }

    private static string Describe(Run run, Scenario scenario)
    {
        var result = run.Result;
        if (result.Error is { } error) return $"failed: {error}";
        return scenario.IsIdle
            ? $"{Figures.Kibibytes(result.IdleBytesPerConnection),10} KiB a connection, {Figures.Kibibytes(result.EchoedBytesPerConnection)} after an echo each"
            : $"{Figures.Whole(run.MessagesPerSecond),10} msg/s {Figures.Short(run.CpuMicrosecondsPerMessage),8} us CPU/msg  p99 {Figures.Whole(result.P99Microseconds),7} us  "
                + $"client {Figures.Share(result.ClientBusy)}{(run.IsClean ? "" : "  disturbed")}";
    }
}
