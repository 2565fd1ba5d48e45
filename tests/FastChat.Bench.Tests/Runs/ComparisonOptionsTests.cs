using FastChat.Compare;
using FastChat.Compare.Runs;

namespace FastChat.Bench.Tests.Runs;

public class ComparisonOptionsTests
{
    [Fact]
    public void Nothing_said_means_everything()
    {
        var options = ComparisonOptions.Parse([]);
        Assert.Null(options.Servers);
        Assert.Equal(Scenario.All, options.Scenarios);
        Assert.Equal(3, options.Rounds);
        Assert.Equal(TimeSpan.FromMinutes(30), options.Limit);
    }

    [Fact]
    public void Every_option_is_read()
    {
        var options = ComparisonOptions.Parse(["--servers", "a, b,a", "--scenarios", "idle,text", "--rounds", "5", "--seconds", "0.5", "--warm-up", "0", "--server-cpus", "2,3", "--client-cpus", "none",
            "--config", "c.json", "--out", "there", "--limit", "1.5", "--list", "--append", "--reference", "b"]);
        Assert.Equal(["a", "b"], options.Servers);
        Assert.Equal(["idle", "text"], options.Scenarios.Select(s => s.Name));
        Assert.Equal((5, 0.5, 0.0), (options.Rounds, options.Seconds, options.WarmUp));
        Assert.Equal([2, 3], options.ServerCpus);
        Assert.Empty(options.ClientCpus);
        Assert.Equal((true, "b"), (options.Append, options.Reference));
        Assert.Equal(("c.json", "there", 90, true), (options.Config, options.Out, (int)options.Limit.TotalSeconds, options.List));
    }

    [Fact]
    public void A_url_may_come_with_its_process()
    {
        var options = ComparisonOptions.Parse(["--url", "ws://example.org:81/echo?a=b", "--pid", "42"]);
        Assert.Equal(("example.org", 81, "/echo?a=b", 42), (options.Url!.Host, options.Url.Port, options.Url.PathAndQuery, options.ProcessId));
    }

    [Theory]
    [InlineData("--rounds", "0", "--rounds")]
    [InlineData("--rounds", "x", "--rounds")]
    [InlineData("--rounds", "2.5", "--rounds")]
    [InlineData("--server-cpus", "0.5", "--server-cpus")]
    [InlineData("--seconds", "NaN", "--seconds")]
    [InlineData("--seconds", "601", "--seconds")]
    [InlineData("--limit", "0", "--limit")]
    [InlineData("--server-cpus", "-1", "--server-cpus")]
    [InlineData("--scenarios", "tempest", "tempest")]
    [InlineData("--servers", ",", "empty")]
    [InlineData("--url", "http://example.org", "ws://")]
    [InlineData("--pid", "1", "--url")]
    [InlineData("--colour", "red", "--colour")]
    [InlineData("rounds", "1", "rounds")]
    public void A_wrong_value_names_its_option(string name, string value, string named) =>
        Assert.Contains(named, Assert.Throws<ArgumentException>(() => ComparisonOptions.Parse([name, value])).Message, StringComparison.Ordinal);

    [Fact]
    public void An_unknown_option_is_not_asked_for_a_value() =>
        Assert.Contains("no option", Assert.Throws<ArgumentException>(() => ComparisonOptions.Parse(["--bogus"])).Message, StringComparison.Ordinal);

    [Fact]
    public void Servers_and_client_have_cpus_that_this_process_may_use()
    {
        var options = ComparisonOptions.Parse([]);
        Assert.All([.. options.ServerCpus, .. options.ClientCpus], cpu => Assert.Contains(cpu, FastChat.Measure.CpuPinning.Allowed));
        Assert.Empty(options.ServerCpus.Intersect(options.ClientCpus));
    }

    [Fact]
    public void A_missing_value_and_a_contradiction_are_told()
    {
        Assert.Throws<ArgumentException>(() => ComparisonOptions.Parse(["--out"]));
        Assert.Throws<ArgumentException>(() => ComparisonOptions.Parse(["--url", "ws://localhost", "--servers", "a"]));
    }
}
