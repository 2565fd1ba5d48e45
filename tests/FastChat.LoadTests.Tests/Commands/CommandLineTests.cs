using FastChat.LoadTests.Commands;
using FastChat.LoadTests.Scenarios;

namespace FastChat.LoadTests.Tests.Commands;

public class CommandLineTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Help_lists_every_scenario()
    {
        var (code, output, _) = await RunAsync("--help");
        Assert.Equal(0, code);
        foreach (var scenario in Catalog.All) Assert.Contains(scenario.Name, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_says_what_can_be_set_and_asserted()
    {
        var (code, output, _) = await RunAsync("list");
        Assert.Equal(0, code);
        foreach (var setting in Catalog.All.SelectMany(s => s.Settings)) Assert.Contains($"--{setting.Name} {setting.Default}", output, StringComparison.Ordinal);
        foreach (string metric in (string[])["rss_growth", "cpu_per_chunk", "doubled", "first_chunk"]) Assert.Contains(metric, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--think is '50': expected a time", "chat", "--think", "50")] // a time without a unit
    [InlineData("--users is '0'", "chat", "--users", "0")]
    [InlineData("--users is '1.5'", "chat", "--users", "1.5")]
    [InlineData("--rate is 'fast'", "storm", "--rate", "fast")]
    [InlineData("from 1 to 1,000", "streams", "--chunks", "5000")]
    [InlineData("'p99' is no assertion", "chat", "--assert", "p99")]
    [InlineData("'chunk.p99<5ms': storm has no such latency", "storm", "--assert", "chunk.p99<5ms")]
    [InlineData("'nonsense.p99<5ms': no scenario has such a latency", "all", "--assert", "nonsense.p99<5ms")]
    [InlineData("--url is 'example'", "chat", "--url", "example")]
    [InlineData("--pid is about a server that runs", "chat", "--pid", "1")]
    [InlineData("--set is about a server that is started", "chat", "--url", "http://127.0.0.1:1", "--set", "A=b")]
    [InlineData("--set is 'A'", "chat", "--set", "A")]
    [InlineData("--set gives a:b twice", "chat", "--set", "a:b=1", "--set", "A:B=2")]
    [InlineData("--set auth:secret: that of the server that is started", "chat", "--set", "auth:secret=x")]
    [InlineData("--pid is 2147483647", "chat", "--url", "http://127.0.0.1:1", "--pid", "2147483647")]
    [InlineData("--duration is '0'", "chat", "--duration", "0")]
    [InlineData("--duration is '0'", "all", "--duration", "0")]
    [InlineData("An answer takes 800 ms at that pace, so that 50 asking one at a time get 62.5 a second and not 100", "chat", "--users", "50", "--think", "500ms")]
    [InlineData("no server could keep up", "fanout", "--rate", "2")]
    [InlineData("--chunks times --bytes", "slow", "--chunks", "100", "--bytes", "400")]
    [InlineData("--server-cpus is '9999'", "chat", "--server-cpus", "9999")]
    [InlineData("--warm-up is 'long'", "chat", "--warm-up", "long")]
    [InlineData("--timeout is less", "chat", "--timeout", "1ms")]
    [InlineData("--max-in-flight is 0", "chat", "--max-in-flight", "0")]
#if !NBOMBER
    [InlineData("build it with -p:NBomber=true", "chat", "--nbomber")]
#endif
    [InlineData("--nonsense", "chat", "--nonsense")]
    [InlineData("unknown", "unknown")]
    public async Task Wrong_usage_is_told_in_a_sentence_and_exits_with_2(string message, params string[] args)
    {
        var (code, output, error) = await RunAsync(args);
        Assert.Equal(CommandLine.Usage, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Equal("", output);
    }

    [Fact]
    public async Task A_server_that_is_not_there_fails_the_run_and_is_reported()
    {
        var directory = Directory.CreateTempSubdirectory("fastchat-noserver-");
        try
        {
            // Port 1 of loopback has no listener.
            var (code, output, _) = await RunAsync("storm", "--url", "http://127.0.0.1:1", "--out", directory.FullName);
            Assert.Equal(CommandLine.Failure, code);
            Assert.Contains("http://127.0.0.1:1/ does not answer", output, StringComparison.Ordinal);
            Assert.Equal(4, directory.GetFiles().Length);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("pace 0")]
    [InlineData("pace 7ms", "--pace", "7ms")]
    public async Task How_fast_the_model_of_a_server_that_runs_is_its_user_says(string told, params string[] args)
    {
        var directory = Directory.CreateTempSubdirectory("fastchat-pace-");
        try
        {
            var (_, output, _) = await RunAsync(["chat", "--url", "http://127.0.0.1:1", "--out", directory.FullName, .. args]);
            Assert.Contains($"  {told}{Environment.NewLine}", output, StringComparison.Ordinal);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] args)
    {
        using StringWriter output = new(), error = new();
        int code = await CommandLine.RunAsync(args, output, error, isInteractive: false, CancellationToken.None).WaitAsync(Bound);
        return (code, output.ToString(), error.ToString());
    }
}
