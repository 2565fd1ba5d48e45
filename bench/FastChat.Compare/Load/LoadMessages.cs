using System.Text.Json.Serialization;
using FastChat.Compare.Runs;

namespace FastChat.Compare.Load;

/// <summary>One order to the load process.</summary>
/// <param name="Host">Name or address of the server.</param>
/// <param name="Port">Its port.</param>
/// <param name="Path">The path to upgrade at.</param>
/// <param name="Scenario">What to do.</param>
/// <param name="LeadIn">Seconds that are not counted.</param>
/// <param name="Seconds">Seconds that are.</param>
internal sealed record LoadOrder(string Host, int Port, string Path, Scenario Scenario, double LeadIn, double Seconds)
{
    /// <summary>The server's process, where its CPU time and memory are to be read; null for none.</summary>
    public int? ProcessId { get; init; }

    /// <summary>The only CPU that the server runs on, where it is pinned: to see whether others had it too.</summary>
    public int? ServerCpu { get; init; }
}

/// <summary>What came of it. Times are of the counted seconds; an idle run has no latencies.</summary>
internal sealed record LoadResult
{
    /// <summary>Why there are no figures; null where there are.</summary>
    public string? Error { get; init; }

    /// <summary>Echoes that came back, each compared with what was sent.</summary>
    public long Messages { get; init; }

    public double Seconds { get; init; }

    public double? P50Microseconds { get; init; }

    public double? P99Microseconds { get; init; }

    public double? P999Microseconds { get; init; }

    public double? MaxMicroseconds { get; init; }

    /// <summary>User and kernel time of the server's process; null where it cannot be read.</summary>
    public double? ServerCpuSeconds { get; init; }

    /// <summary>Share of the time that the client had something to do: near 1, the messages per second are the client's limit.</summary>
    public double? ClientBusy { get; init; }

    /// <summary>Share of the time that the client had a CPU: while it polls and nobody disturbs it, all of it; null for an idle run.</summary>
    public double? ClientCpuShare { get; init; }

    /// <summary>Share of the server's core that others had; null where it cannot be read.</summary>
    public double? StolenShare { get; init; }

    /// <summary>The server's memory at the end; of an idle run while all connections are open and none has sent anything.</summary>
    public long? RssBytes { get; init; }

    /// <summary>Memory that each connection added, when all were open.</summary>
    public double? IdleBytesPerConnection { get; init; }

    /// <summary>The same after each has echoed one message.</summary>
    public double? EchoedBytesPerConnection { get; init; }

    /// <summary>The server's CPU time for accepting and upgrading one connection, in microseconds.</summary>
    public double? ConnectMicroseconds { get; init; }
}

[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(LoadOrder))]
[JsonSerializable(typeof(LoadResult))]
internal sealed partial class LoadJson : JsonSerializerContext;
