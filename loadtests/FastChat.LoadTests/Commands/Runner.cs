using FastChat.LoadTests.Live;
using FastChat.LoadTests.Load;
using FastChat.LoadTests.Report;
using FastChat.LoadTests.Scenarios;
using FastChat.LoadTests.Thresholds;
using Spectre.Console;

namespace FastChat.LoadTests.Commands;

/// <summary>Runs scenarios one after the other, and writes what came of them.</summary>
internal sealed class Runner(RunRequest request, TextWriter output, bool isInteractive)
{
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(IReadOnlyList<(ScenarioDefinition Definition, ScenarioSettings Settings)> scenarios, CancellationToken cancellationToken)
    {
        OutputDirectory.Prepare(request.Out);
        var began = TimeProvider.System.GetUtcNow();
        List<ScenarioResult> results = [];
        foreach (var (definition, settings) in scenarios)
        {
            if (cancellationToken.IsCancellationRequested) break;
            var result = await RunAsync(definition, settings, cancellationToken);
            results.Add(result);
            output.WriteLine(ResultText.Render(result));
        }
        var report = new RunReport(began, MachineInfo.Read(), request.Options.Url?.ToString() ?? "started for each scenario, on loopback", results);
        foreach (string file in ReportFiles.Write(report, request.Out)) output.WriteLine(file);
        return results.Count == scenarios.Count && results.All(r => r.Passed) ? CommandLine.Success : CommandLine.Failure;
    }

    private Task<ScenarioResult> RunAsync(ScenarioDefinition definition, ScenarioSettings settings, CancellationToken cancellationToken)
    {
        Task<ScenarioResult> Run(IRunView view) =>
            new ScenarioRun(definition, settings, request.Options, Threshold.For(definition, request.Thresholds), view, TimeProvider.System).RunAsync(cancellationToken);
        if (isInteractive && !request.IsPlain) return new LiveView(AnsiConsole.Console).RunAsync($"{definition.Name}: {definition.Title}", Run);
        output.WriteLine($"{definition.Name}: {definition.Title}");
        return Run(new PlainView(output));
    }
}
