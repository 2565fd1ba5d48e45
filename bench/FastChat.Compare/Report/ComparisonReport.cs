using System.Text.Json.Serialization;
using FastChat.Compare.Runs;
using FastChat.Compare.Servers;

namespace FastChat.Compare.Report;

/// <summary>A server as the report has it.</summary>
internal sealed record ServerInfo(string Name, string Description, string Version, IReadOnlyDictionary<string, string> Environment);

/// <summary>How it was measured.</summary>
internal sealed record Conditions(int Rounds, double Seconds, double WarmUp, IReadOnlyList<int> ServerCpus, IReadOnlyList<int> ClientCpus);

/// <summary>Everything that a comparison brought; what the files are made of.</summary>
internal sealed record ComparisonReport
{
    public required DateTimeOffset Date { get; init; }

    public required MachineInfo Machine { get; init; }

    public required Conditions Conditions { get; init; }

    public required IReadOnlyList<ServerInfo> Servers { get; init; }

    public required IReadOnlyList<Scenario> Scenarios { get; init; }

    public required IReadOnlyList<Summary> Summaries { get; init; }

    public required IReadOnlyList<Run> Runs { get; init; }

    public static ComparisonReport Create(DateTimeOffset date, ComparisonOptions options, IReadOnlyList<ServerDefinition> servers, IReadOnlyList<Run> runs) => new()
    {
        Date = date,
        Machine = MachineInfo.Read(),
        Conditions = new Conditions(options.Rounds, options.Seconds, options.WarmUp, CpuPinning.IsSupported ? options.ServerCpus : [], CpuPinning.IsSupported ? options.ClientCpus : []),
        Servers = [.. servers.Select(s => new ServerInfo(s.Name, s.Description, s.Version, s.Environment))],
        Scenarios = options.Scenarios,
        Summaries = Statistics.Summarise(runs),
        Runs = runs,
    };

    /// <summary>The summaries of a scenario, the least CPU time (or memory) first; those without a figure last.</summary>
    public IReadOnlyList<Summary> Ranked(Scenario scenario) =>
        [.. Summaries.Where(s => s.Scenario == scenario.Name).OrderBy(s => (scenario.IsIdle ? s.IdleBytesPerConnection : s.CpuMicroseconds) ?? double.MaxValue)];

    /// <summary>A summary's CPU time as a multiple of the least in its scenario.</summary>
    public double? Ratio(Summary summary) => summary.CpuMicroseconds / Summaries.Where(s => s.Scenario == summary.Scenario).Min(s => s.CpuMicroseconds);
}

[JsonSourceGenerationOptions(WriteIndented = true, UseStringEnumConverter = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ComparisonReport))]
internal sealed partial class ReportJson : JsonSerializerContext;
