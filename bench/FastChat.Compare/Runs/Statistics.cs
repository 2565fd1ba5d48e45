using FastChat.Compare.Load;

namespace FastChat.Compare.Runs;

/// <summary>One run of one server in one scenario.</summary>
internal sealed record Run(string Server, string Scenario, int Round, LoadResult Result)
{
    // Others on the server's core, and the client's lack of time, spoil a figure.
    private const double MostStolen = 0.06;

    /// <summary>Whether nobody else had much of the server's core.</summary>
    public bool IsClean => Result.Error is null && Result.StolenShare is null or < MostStolen;

    public double? MessagesPerSecond => Result.Error is null && Result.Seconds > 0 ? Result.Messages / Result.Seconds : null;

    public double? CpuMicrosecondsPerMessage => Result.Messages > 0 ? Result.ServerCpuSeconds * 1e6 / Result.Messages : null;
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

    public double? MessagesPerSecond { get; init; }

    public double? CpuMicroseconds { get; init; }

    public double? CpuMicrosecondsLeast { get; init; }

    public double? CpuMicrosecondsMost { get; init; }

    public double? P50Microseconds { get; init; }

    public double? P99Microseconds { get; init; }

    public double? P999Microseconds { get; init; }

    public double? RssBytes { get; init; }

    public double? IdleBytesPerConnection { get; init; }

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
    public static IReadOnlyList<Summary> Summarise(IEnumerable<Run> runs) => [.. runs.GroupBy(r => (r.Scenario, r.Server)).Select(g => Summarise(g.Key.Server, g.Key.Scenario, [.. g]))];

    private static Summary Summarise(string server, string scenario, Run[] all)
    {
        Run[] good = [.. all.Where(r => r.Result.Error is null)];
        Run[] clean = [.. good.Where(r => r.IsClean)];
        Run[] counted = clean.Length > 0 ? clean : good;
        double? Of(Func<Run, double?> value) => Median(counted.Select(value));
        return new Summary(server, scenario)
        {
            Runs = counted.Length,
            Disturbed = good.Length - clean.Length,
            Failed = all.Length - good.Length,
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
