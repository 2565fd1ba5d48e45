using System.Text.Json.Serialization;
using FastChat.LoadTests.Load;

namespace FastChat.LoadTests.Report;

/// <summary>Everything that a run brought; what the files are made of.</summary>
/// <param name="Date">When it began.</param>
/// <param name="Machine">This program's.</param>
/// <param name="Server">Where the server was.</param>
/// <param name="Scenarios">In the order in which they ran.</param>
internal sealed record RunReport(DateTimeOffset Date, MachineInfo Machine, string Server, IReadOnlyList<ScenarioResult> Scenarios);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RunReport))]
internal sealed partial class ReportJson : JsonSerializerContext;
