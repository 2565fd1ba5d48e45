using System.Text.Json.Serialization;
using FastChat.Compare.Runs;
using FastChat.Compare.Servers;

namespace FastChat.Compare.Report;

/// <summary>A server as the report has it.</summary>
internal sealed record ServerInfo(string Name, string Description, string Version, IReadOnlyDictionary<string, string> Environment);

/// <summary>How it was measured.</summary>
internal sealed record Conditions(int Rounds, double Seconds, double WarmUp, IReadOnlyList<int> ServerCpus, IReadOnlyList<int> ClientCpus)
{
    /// <summary>The server that ratios are to; null for the cheapest in each scenario.</summary>
    public string? Reference { get; init; }
}

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

    /// <summary>A report without runs.</summary>
    public static ComparisonReport Create(DateTimeOffset date, ComparisonOptions options, IReadOnlyList<ServerDefinition> servers) => new()
    {
        Date = date,
        Machine = MachineInfo.Read(),
        Conditions = new Conditions(0, options.Seconds, options.WarmUp, CpuPinning.IsSupported ? options.ServerCpus : [], CpuPinning.IsSupported ? options.ClientCpus : []) { Reference = options.Reference },
        Servers = [.. servers.Select(s => new ServerInfo(s.Name, s.Description, s.Version, s.Environment))],
        Scenarios = options.Scenarios,
        Summaries = [],
        Runs = [],
    };

    /// <summary>This report with more runs.</summary>
    public ComparisonReport With(IReadOnlyList<Run> runs)
    {
        Run[] all = [.. Runs, .. runs];
        return this with
        {
            Conditions = Conditions with { Rounds = all.Select(r => r.Round).DefaultIfEmpty().Max() },
            Summaries = Statistics.Summarise(all, Conditions.Reference),
            Runs = all,
        };
    }

    /// <summary>This report, ready for the servers and scenarios of a later one.</summary>
    /// <exception cref="ArgumentException">What was measured would not be the same.</exception>
    public ComparisonReport Joined(ComparisonReport later)
    {
        static object Comparable(Conditions c) => (c.Seconds, c.WarmUp, string.Join(',', c.ServerCpus), string.Join(',', c.ClientCpus));
        if (Machine != later.Machine) throw new ArgumentException("--append: the report was made on another machine or runtime.");
        if (!Comparable(Conditions).Equals(Comparable(later.Conditions))) throw new ArgumentException("--append: the report was made with other seconds, warm-up or CPUs.");
        foreach (var server in later.Servers)
            if (Servers.FirstOrDefault(s => s.Name == server.Name) is { } before && before.Version != server.Version)
                throw new ArgumentException($"--append: the report has {server.Name} in version {before.Version}, this is {server.Version}.");
        return this with
        {
            Conditions = Conditions with { Reference = later.Conditions.Reference },
            Servers = [.. Servers.UnionBy(later.Servers, s => s.Name)],
            Scenarios = [.. Scenarios.UnionBy(later.Scenarios, s => s.Name)],
        };
    }

    /// <summary>The summaries of a scenario, the least CPU time (or memory) first; those without a figure last.</summary>
    public IReadOnlyList<Summary> Ranked(Scenario scenario) =>
        [.. Summaries.Where(s => s.Scenario == scenario.Name).OrderBy(s => s.Cost ?? double.MaxValue)];

    /// <summary>The summary of a server in a scenario; null where it did not run.</summary>
    public Summary? Find(string server, Scenario scenario) => Summaries.FirstOrDefault(s => s.Server == server && s.Scenario == scenario.Name);

    /// <summary>What ratios are to, in the head of a column.</summary>
    public string ReferenceName => Conditions.Reference ?? "least";
}

[JsonSourceGenerationOptions(WriteIndented = true, UseStringEnumConverter = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ComparisonReport))]
internal sealed partial class ReportJson : JsonSerializerContext;
