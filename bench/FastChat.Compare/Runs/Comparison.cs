using System.Diagnostics;
using FastChat.Compare.Load;
using FastChat.Compare.Servers;

namespace FastChat.Compare.Runs;

/// <summary>
/// Runs every server in every scenario, round after round. A round begins with another server each time, so that a machine whose speed
/// drifts does so for all; each turn is a fresh process, warmed up with the same load.
/// </summary>
internal sealed class Comparison(ComparisonOptions options, IReadOnlyList<ServerDefinition> servers, Action<string> log)
{
    private const double LeadIn = 0.3;
    // Before its memory is looked at, a server has run the code that connections need.
    private static readonly Scenario Rehearsal = new("rehearsal", "", 50, 64) { Polls = false };

    private readonly List<Run> _runs = [];

    /// <summary>Runs until done, or cancelled: what there is by then is the result.</summary>
    public async Task<IReadOnlyList<Run>> RunAsync(CancellationToken cancellationToken)
    {
        using var client = new LoadClient(options.ClientCpus);
        try
        {
            for (int round = 1; round <= options.Rounds; round++)
            {
                for (int i = 0; i < servers.Count; i++) await TakeTurnAsync(servers[(i + round - 1) % servers.Count], round, client, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            log("Stopped before the end; the report has what was measured until then.");
        }
        return _runs;
    }

    private async Task TakeTurnAsync(ServerDefinition server, int round, LoadClient client, CancellationToken cancellationToken)
    {
        Scenario[] active = [.. options.Scenarios.Where(s => !s.IsIdle)];
        await InProcessAsync(server, round, active, async target =>
        {
            // Twice through all: what the first time through compiles, the second runs as compiled.
            double seconds = options.WarmUp / Math.Max(1, active.Length) / 2;
            foreach (var scenario in (Scenario[])[.. active, .. active])
                if (seconds > 0) await client.RunAsync(target.Order(scenario, 0, seconds), cancellationToken);
            foreach (var scenario in active) Record(server, scenario, round, await client.RunAsync(target.Order(scenario, LeadIn, options.Seconds), cancellationToken));
        }, cancellationToken);

        // Memory is that of a process which has done nothing else.
        foreach (var scenario in options.Scenarios.Where(s => s.IsIdle))
        {
            await InProcessAsync(server, round, [scenario], async target =>
            {
                await client.RunAsync(target.Order(Rehearsal, 0, 0.5), cancellationToken);
                Record(server, scenario, round, await client.RunAsync(target.Order(scenario, 0, 0), cancellationToken));
            }, cancellationToken);
        }
    }

    private async Task InProcessAsync(ServerDefinition server, int round, Scenario[] scenarios, Func<Target, Task> run, CancellationToken cancellationToken)
    {
        if (scenarios.Length == 0) return;
        if (options.Url is { } url)
        {
            await run(new Target(url.Host, url.IsDefaultPort ? 80 : url.Port, url.PathAndQuery, options.ProcessId, null));
            return;
        }
        try
        {
            using var process = await ServerProcess.StartAsync(server, options.ServerCpus, cancellationToken);
            await run(new Target("127.0.0.1", process.Port, server.Path, process.Id, options.ServerCpus is [var cpu] ? cpu : null));
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            foreach (var scenario in scenarios) Record(server, scenario, round, new LoadResult { Error = e.Message });
        }
    }

    private void Record(ServerDefinition server, Scenario scenario, int round, LoadResult result)
    {
        var run = new Run(server.Name, scenario.Name, round, result);
        _runs.Add(run);
        log($"round {round}  {server.Name,-18} {scenario.Name,-10} {Describe(run)}");
    }

    private static string Describe(Run run)
    {
        if (run.Result.Error is { } error) return $"failed: {error}";
        if (run.Result.IdleBytesPerConnection is { } idle)
            return FormattableString.Invariant($"{idle / 1024,10:0.00} KiB a connection, {run.Result.EchoedBytesPerConnection / 1024:0.00} after an echo each");
        return FormattableString.Invariant($"{run.MessagesPerSecond,10:0} msg/s {run.CpuMicrosecondsPerMessage,10:0.000} us CPU/msg  p99 {run.Result.P99Microseconds,8:0} us  client {run.Result.ClientBusy:0%}{(run.IsClean ? "" : "  disturbed")}");
    }

    /// <summary>Where the load goes.</summary>
    private sealed record Target(string Host, int Port, string Path, int? ProcessId, int? Cpu)
    {
        public LoadOrder Order(Scenario scenario, double leadIn, double seconds) =>
            new(Host, Port, Path, scenario, leadIn, seconds) { ProcessId = ProcessId, ServerCpu = Cpu };
    }
}
