using System.Text.Json.Serialization;
using FastChat.Compare.Load;

namespace FastChat.Compare.Runs;

/// <summary>One run of one server in one scenario.</summary>
internal sealed record Run(string Server, string Scenario, int Round, LoadResult Result)
{
    // Others on the server's CPU, or on the client's, spoil a figure.
    private const double MostStolen = 0.06, LeastOfClient = 0.93;

    /// <summary>Whether nobody else had much of the server's CPU, or of the client's while it polled.</summary>
    public bool IsClean => Result.Error is null && Result.StolenShare is null or < MostStolen
        && (Runs.Scenario.All.FirstOrDefault(s => s.Name == Scenario) is not { Polls: true } || Result.ClientCpuShare is null or > LeastOfClient);

    public double? MessagesPerSecond => Result.Error is null && Result.Seconds > 0 ? Result.Messages / Result.Seconds : null;

    public double? CpuMicrosecondsPerMessage => Result.Messages > 0 ? Result.ServerCpuSeconds * 1e6 / Result.Messages : null;

    /// <summary>What servers are compared by: memory where connections are idle, else CPU time.</summary>
    [JsonIgnore]
    public double? Cost => Result.IdleBytesPerConnection ?? CpuMicrosecondsPerMessage;
}

/// <summary>The medians of one server in one scenario, over its clean runs; over all where none is clean.</summary>
internal sealed record Summary(string Server, string Scenario)
{
    public int Runs { get; init; }

    /// <summary>Runs that others disturbed.</summary>
    public int Disturbed { get; init; }

    public int Failed { get; init; }

    /// <summary>Why the last one failed; null where none did.</summary>
    public string? Error { get; init; }

    /// <summary>Its cost as a multiple of the reference's: the median of what this is in each round.</summary>
    public double? Ratio { get; init; }

    public double? MessagesPerSecond { get; init; }

    public double? CpuMicroseconds { get; init; }

    public double? CpuMicrosecondsLeast { get; init; }

    public double? CpuMicrosecondsMost { get; init; }

    public double? P50Microseconds { get; init; }

    public double? P99Microseconds { get; init; }

    public double? P999Microseconds { get; init; }

    public double? RssBytes { get; init; }

    public double? IdleBytesPerConnection { get; init; }

    /// <summary>As a run's: the memory of an idle connection in bytes, else the CPU time of a message in microseconds.</summary>
    [JsonIgnore]
    public double? Cost => IdleBytesPerConnection ?? CpuMicroseconds;

    public double? EchoedBytesPerConnection { get; init; }

    public double? ConnectMicroseconds { get; init; }

    /// <summary>How busy the client was: near 1, the messages per second are the client's limit and not the server's.</summary>
    public double? ClientBusy { get; init; }
}

/// <summary>From runs to medians.</summary>
internal static class Statistics
{
    /// <summary>The middle value, or the mean of the two in the middle; null of none. Values that are missing do not count.</summary>
    public static double? Median(IEnumerable<double?> values)
    {
        double[] sorted = [.. values.Where(v => v.HasValue).Select(v => v!.Value).Order()];
        return sorted.Length == 0 ? null : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>One summary for each server and scenario, in the order in which they first ran.</summary>
    /// <param name="runs">Of any servers, scenarios and rounds.</param>
    /// <param name="reference">The server that ratios are to; null, or where it has no figure: the one with the least cost in the scenario.</param>
    public static IReadOnlyList<Summary> Summarise(IEnumerable<Run> runs, string? reference = null)
    {
        var all = runs.GroupBy(r => (r.Scenario, r.Server)).ToDictionary(g => g.Key, g => g.ToArray());
        var references = all.Keys.Select(k => k.Scenario).Distinct().ToDictionary(scenario => scenario, scenario =>
        {
            var candidates = all.Where(c => c.Key.Scenario == scenario).Select(c => (c.Key.Server, Runs: Counted(c.Value))).Where(c => Median(c.Runs.Select(r => r.Cost)) is not null).ToArray();
            return candidates.FirstOrDefault(c => c.Server == reference).Runs ?? candidates.OrderBy(c => Median(c.Runs.Select(r => r.Cost))).FirstOrDefault().Runs ?? [];
        });
        return [.. all.Select(g => Summarise(g.Key.Server, g.Key.Scenario, g.Value) with { Ratio = Ratio(Counted(g.Value), references[g.Key.Scenario]) })];
    }

    private static Run[] Counted(Run[] all)
    {
        Run[] good = [.. all.Where(r => r.Result.Error is null)];
        Run[] clean = [.. good.Where(r => r.IsClean)];
        return clean.Length > 0 ? clean : good;
    }

    /// <summary>Rounds are minutes apart, and the machine may be faster in one than in another: what counts is how two compare in the same.</summary>
    private static double? Ratio(Run[] runs, Run[] reference)
    {
        double? Cost(Run[] of, int? round) => Median(of.Where(r => round is null || r.Round == round).Select(r => r.Cost));
        double? Quotient(int? round) => Cost(runs, round) is { } cost && Cost(reference, round) is > 0 and var least ? cost / least : null;
        return Median(runs.Select(r => r.Round).Distinct().Select(round => Quotient(round))) ?? Quotient(null);
    }

    private static Summary Summarise(string server, string scenario, Run[] all)
    {
        Run[] counted = Counted(all);
        int failed = all.Count(r => r.Result.Error is not null);
        double? Of(Func<Run, double?> value) => Median(counted.Select(value));
        return new Summary(server, scenario)
        {
            Runs = counted.Length,
            Disturbed = all.Count(r => r.Result.Error is null && !r.IsClean),
            Failed = failed,
            Error = all.LastOrDefault(r => r.Result.Error is not null)?.Result.Error,
            MessagesPerSecond = Of(r => r.MessagesPerSecond),
            CpuMicroseconds = Of(r => r.CpuMicrosecondsPerMessage),
            CpuMicrosecondsLeast = counted.Min(r => r.CpuMicrosecondsPerMessage),
            CpuMicrosecondsMost = counted.Max(r => r.CpuMicrosecondsPerMessage),
            P50Microseconds = Of(r => r.Result.P50Microseconds),
            P99Microseconds = Of(r => r.Result.P99Microseconds),
            P999Microseconds = Of(r => r.Result.P999Microseconds),
            RssBytes = Of(r => r.Result.RssBytes),
            IdleBytesPerConnection = Of(r => r.Result.IdleBytesPerConnection),
            EchoedBytesPerConnection = Of(r => r.Result.EchoedBytesPerConnection),
            ConnectMicroseconds = Of(r => r.Result.ConnectMicroseconds),
            ClientBusy = Of(r => r.Result.ClientBusy),
        };
    }
}
