using FastChat.Compare.Servers;

namespace FastChat.Bench.Tests.Servers;

public class ServerConfigTests
{
    private static readonly string Home = Path.GetFullPath("here");

    [Fact]
    public void A_server_is_read_with_everything_it_can_have()
    {
        var server = Assert.Single(ServerConfig.Parse("""
            {
              // comments are welcome
              "servers": [{
                "name": "mine", "command": ["./mine", "--listen", "127.0.0.1:{port}", "--threads", "{loops}"], "description": "My own",
                "version": "1.2", "environment": {"A": "b"}, "directory": "srv", "path": "/ws",
              }],
            }
            """, Home));
        Assert.Equal(("mine", "My own", "1.2", Path.GetFullPath("srv", Home), "/ws"), (server.Name, server.Description, server.Version, server.WorkingDirectory, server.Path));
        Assert.Equal("b", server.Environment["A"]);
        Assert.Equal([Path.GetFullPath("srv/mine", Home), "--listen", "127.0.0.1:4711", "--threads", "2"], server.CommandFor(4711, 2));
    }

    [Fact]
    public void What_is_left_out_has_a_default()
    {
        var server = Assert.Single(ServerConfig.Parse("""{"servers":[{"name":"a","command":["a","{port}"]}]}""", Home));
        Assert.Equal("a", server.Command[0]); // from the PATH
        Assert.Equal(("/", "", Home, 0), (server.Path, server.Description, server.WorkingDirectory, server.Environment.Count));
    }

    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("[]", "\"servers\"")]
    [InlineData("{\"servers\":{}}", "\"servers\"")]
    [InlineData("{\"servers\":[1]}", "object")]
    [InlineData("{\"servers\":[{\"command\":[\"{port}\"]}]}", "\"name\"")]
    [InlineData("{\"servers\":[{\"name\":7,\"command\":[\"{port}\"]}]}", "\"name\"")]
    [InlineData("{\"servers\":[{\"name\":\"a\"}]}", "\"command\"")]
    [InlineData("{\"servers\":[{\"name\":\"a\",\"command\":[]}]}", "\"command\"")]
    [InlineData("{\"servers\":[{\"name\":\"a\",\"command\":[\"a\",9]}]}", "\"command\"")]
    [InlineData("{\"servers\":[{\"name\":\"a\",\"command\":[\"a\"]}]}", "{port}")]
    [InlineData("{\"servers\":[{\"name\":\"a\",\"command\":[\"{port}\"],\"environment\":{\"A\":1}}]}", "\"environment\"")]
    [InlineData("{\"servers\":[{\"name\":\"a\",\"command\":[\"{port}\"],\"comand\":1}]}", "\"comand\"")]
    [InlineData("{\"servers\":[{\"name\":\"a\",\"command\":[\"{port}\"]},{\"name\":\"a\",\"command\":[\"{port}\"]}]}", "two servers")]
    public void What_is_wrong_is_named(string json, string named) =>
        Assert.Contains(named, Assert.Throws<FormatException>(() => ServerConfig.Parse(json, Home)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_file_that_is_not_there_is_named() =>
        Assert.StartsWith("no-such-file.json: ", Assert.Throws<FormatException>(() => ServerConfig.Read("no-such-file.json")).Message, StringComparison.Ordinal);

    [Fact]
    public async Task An_unknown_server_is_answered_with_those_there_are()
    {
        var error = await Assert.ThrowsAsync<ArgumentException>(() => ServerCatalog.ChooseAsync(["nginx"], [], _ => { }, default).WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains("fastchat-epoll", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Servers_are_chosen_in_the_order_asked_for_and_those_of_a_file_too()
    {
        var mine = new ServerDefinition("mine", ["mine", "{port}"]);
        var chosen = await ServerCatalog.ChooseAsync(["mine", "inbox"], [mine], _ => { }, default).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(["mine", "inbox"], chosen.Select(s => s.Name));
    }

    [Fact]
    public async Task A_name_of_this_programs_own_is_not_given_twice()
    {
        var mine = new ServerDefinition("kestrel", ["mine", "{port}"]);
        var error = await Assert.ThrowsAsync<ArgumentException>(() => ServerCatalog.ChooseAsync(null, [mine], _ => { }, default).WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains("'kestrel'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_ends_at_once_is_told_with_what_it_said()
    {
        var broken = new ServerDefinition("broken", [DotnetHost.Path, "no-such-command-{port}"]);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => ServerProcess.StartAsync(broken, [], default).WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Contains("broken ended with", error.Message, StringComparison.Ordinal);
    }
}
