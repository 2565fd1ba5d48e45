using FastChat.Server.Commands;
using FastChat.Storage;

namespace FastChat.Server.Tests.Commands;

public sealed class CommandLineTests : IDisposable
{
    private readonly CommandRunner _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task The_version_is_printed_alone()
    {
        var (code, output, error) = await _cli.RunAsync("--version");
        Assert.Equal(0, code);
        Assert.Matches(@"^\d+\.\d+\.\d+$", Assert.Single(output));
        Assert.Empty(error);
        Assert.Null(_cli.Served);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("token", "--help")]
    [InlineData("user", "add", "-h")]
    public async Task Help_is_not_a_mistake(params string[] args)
    {
        var (code, output, error) = await _cli.RunAsync(args);
        Assert.Equal(0, code);
        Assert.Contains(output, line => line.StartsWith("Usage:", StringComparison.Ordinal));
        Assert.Empty(error);
    }

    [Theory]
    [InlineData("tokn", "alice")]
    [InlineData("--prot", "80")]
    [InlineData("--port")]
    [InlineData("--port", "1", "--port")]
    [InlineData("--port", "1", "--port", "2")]
    [InlineData("serve", "extra")]
    [InlineData("token")]
    [InlineData("token", "")]
    [InlineData("token", "  ")]
    [InlineData("token", "a\nb")]
    [InlineData("token", "alice", "bob")]
    [InlineData("token", "alice", "--port", "80")]
    [InlineData("user")]
    [InlineData("user", "add")]
    [InlineData("user", "drop", "alice")]
    [InlineData("user", "list", "alice")]
    public async Task Wrong_usage_is_told_on_standard_error_with_exit_code_2(params string[] args)
    {
        var (code, output, error) = await _cli.RunAsync(args);
        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.NotEmpty(error);
        Assert.Null(_cli.Served);
        Assert.False(Directory.Exists(_cli.DataDirectory));
    }

    [Fact]
    public async Task A_failure_of_the_store_is_one_sentence_and_exit_code_1()
    {
        Directory.CreateDirectory(_cli.DataDirectory);
        File.WriteAllText(Path.Combine(_cli.DataDirectory, "fastchat.db"), new string('x', 4096));
        var (code, output, error) = await _cli.RunAsync("user", "list");
        Assert.Equal(1, code);
        Assert.Empty(output);
        Assert.Contains("fastchat.db", Assert.Single(error), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_defect_is_told_with_all_that_helps_to_find_it()
    {
        _cli.OpenStore = (_, _, _) => throw new InvalidOperationException("boom");
        var (code, _, error) = await _cli.RunAsync("user", "list");
        Assert.Equal(1, code);
        Assert.Contains("fastchat failed unexpectedly", error[0], StringComparison.Ordinal);
        Assert.Contains(error, line => line.Contains("   at ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_interrupted_command_ends_with_exit_code_1()
    {
        var opening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _cli.OpenStore = async (_, _, stop) =>
        {
            opening.SetResult();
            await Task.Delay(Timeout.Infinite, stop);
            throw new StoreException(StoreError.Closed, "never");
        };
        var running = _cli.RunAsync("user", "list");
        await opening.Task.WaitAsync(CommandRunner.Bound);
        Assert.True(_cli.Interrupts.Interrupt());
        Assert.False(_cli.Interrupts.Interrupt());
        Assert.Equal(1, (await running).Code);
    }
}
