using System.Diagnostics;
using FastChat.Compare;
using FastChat.Compare.Runs;
using FastChat.Compare.Servers;

namespace FastChat.Bench.Tests.Runs;

/// <summary>Whole rounds, with processes: the program's own echo servers and some that are no good.</summary>
public class ComparisonTests
{
    private static readonly ServerDefinition InBox = new("inbox", ThisProgram.Command("serve", "inbox", "{port}"));
    private static readonly ServerDefinition Broken = new("broken", ThisProgram.Command("serve", "nonsense", "{port}"));
    private static readonly ServerDefinition Absent = new("absent", ["./no-such-program", "{port}"]);

    private static readonly ComparisonOptions Brief = new()
    {
        Scenarios = [new Scenario("few", "", 2, 100), new Scenario("held", "", 5, 100) { IsIdle = true, Polls = false }],
        Rounds = 1,
        Seconds = 0.1,
        WarmUp = 0.1,
        ServerCpus = [],
        ClientCpus = [],
    };

    private static Task<IReadOnlyList<Run>> RunAsync(ComparisonOptions options, int roundsBefore, params ServerDefinition[] servers) =>
        new Comparison(options, servers, roundsBefore, _ => { }).RunAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(120));

    [Fact]
    public async Task Servers_that_work_have_figures_and_those_that_do_not_have_reasons()
    {
        var runs = await RunAsync(Brief, 4, InBox, Broken, Absent);
        Assert.All(runs, run => Assert.Equal(5, run.Round));
        Assert.Contains(runs, run => run is { Server: "inbox", Scenario: "few", Result: { Error: null, Messages: > 0 } });
        Assert.Contains(runs, run => run is { Server: "inbox", Scenario: "held", Result: { Error: null, Messages: 5 } });
        foreach (string scenario in (string[])["few", "held"])
        {
            Assert.Contains("broken ended with", Assert.Single(runs, run => run.Server == "broken" && run.Scenario == scenario).Result.Error, StringComparison.Ordinal);
            Assert.Contains("absent does not start", Assert.Single(runs, run => run.Server == "absent" && run.Scenario == scenario).Result.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_server_that_dies_is_told_of_and_started_anew_for_the_next_scenario()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        using var client = new LoadClient([]);
        using var seat = new Seat(InBox, Brief with { WarmUp = 0, Seconds = 30 }, client);
        await seat.OpenAsync([Brief.Scenarios[0]], 0, cancellationToken).WaitAsync(TimeSpan.FromSeconds(60), cancellationToken);
        using var process = Process.GetProcessById(seat.ProcessId!.Value);
        var measuring = seat.MeasureAsync(Brief.Scenarios[0], cancellationToken);
        process.Kill();
        var result = await measuring.WaitAsync(TimeSpan.FromSeconds(60), cancellationToken);
        Assert.Contains("inbox ended with", result.Error, StringComparison.Ordinal);

        result = await seat.MeasureAsync(Brief.Scenarios[1], cancellationToken).WaitAsync(TimeSpan.FromSeconds(60), cancellationToken);
        Assert.Null(result.Error);
        Assert.NotEqual(process.Id, seat.ProcessId);
    }
}
