using FastChat.Connections;

namespace FastChat.Core.Tests.Connections;

public sealed class RouteTableTests
{
    private static string? Match(RouteTable<string> table, string path) =>
        table.TryMatch(path, out string? value, out var values) ? $"{value}({string.Join(", ", values.Select(v => $"{v.Key}={v.Value}"))})" : null;

    private static RouteTable<string> Table(params string[] paths)
    {
        var table = new RouteTable<string>();
        foreach (string path in paths) table.Add(path, path);
        return table;
    }

    [Theory]
    [InlineData("/echo", "/echo()")]
    [InlineData("/echo/", "/echo()")]
    [InlineData("/both", "/both()")]
    [InlineData("/both/", "/both/()")]
    [InlineData("/slash", "/slash/()")]
    [InlineData("/Echo", null)]
    [InlineData("/echo/x", null)]
    [InlineData("/echo//", null)]
    [InlineData("/", null)]
    [InlineData("", null)]
    public void Literal_paths_match_with_and_without_a_slash_at_the_end(string path, string? expected) =>
        Assert.Equal(expected, Match(Table("/echo", "/both", "/both/", "/slash/"), path));

    [Theory]
    [InlineData("/rooms/7", "/rooms/{room}(room=7)")]
    [InlineData("/rooms/7/", "/rooms/{room}(room=7)")]
    [InlineData("/rooms/all", "/rooms/all()")]
    [InlineData("/rooms/7/users/ann", "/rooms/{room}/users/{user}(room=7, user=ann)")]
    [InlineData("/rooms/7/users/me", "/rooms/{room}/users/me(room=7)")]
    [InlineData("/rooms/", null)]
    [InlineData("/rooms", null)]
    [InlineData("/rooms//users/ann", null)]
    [InlineData("/rooms/7/users", null)]
    [InlineData("/rooms/a b é%2F", "/rooms/{room}(room=a b é%2F)")]
    [InlineData("", null)]
    public void Parameters_take_one_segment_that_is_not_empty_and_literals_win(string path, string? expected) =>
        Assert.Equal(expected, Match(Table("/rooms/{room}", "/rooms/all", "/rooms/{room}/users/{user}", "/rooms/{room}/users/me"), path));

    [Theory]
    [InlineData("/files/a/b/c", "/files/{*rest}(rest=a/b/c)")]
    [InlineData("/files/a", "/files/{name}(name=a)")]
    [InlineData("/files/", "/files/{*rest}(rest=)")]
    [InlineData("/files", "/files/{*rest}(rest=)")]
    [InlineData("/file", null)]
    public void A_rest_takes_whatever_follows_also_nothing(string path, string? expected) =>
        Assert.Equal(expected, Match(Table("/files/{*rest}", "/files/{name}"), path));

    [Theory]
    [InlineData("/")]
    [InlineData("/a")]
    [InlineData("/a/b/")]
    public void A_rest_alone_takes_everything(string path) => Assert.NotNull(Match(Table("/{*path}"), path));

    [Theory]
    [InlineData("echo")]
    [InlineData("")]
    [InlineData("/a/{}")]
    [InlineData("/a/{x")]
    [InlineData("/a/x}")]
    [InlineData("/a/{x}y")]
    [InlineData("/a/{{x}}")]
    [InlineData("/{x}/{x}")]
    [InlineData("/{*rest}/x")]
    [InlineData("/{x}/{*x}")]
    public void Malformed_paths_are_refused(string path) => Assert.Throws<ArgumentException>(() => Table(path));

    [Fact]
    public void A_path_is_mapped_once()
    {
        Assert.Throws<ArgumentException>(() => Table("/a", "/a"));
        Assert.Throws<ArgumentException>(() => Table("/a/{x}", "/a/{y}"));
        Assert.Throws<ArgumentException>(() => Table("/a/{x}/", "/a/{x}"));
        Assert.Throws<ArgumentException>(() => Table("/{*a}", "/{*b}"));
    }

    [Fact]
    public void Values_are_a_dictionary()
    {
        var table = new RouteTable<string>();
        table.Add("/{a}/x/{*b}", "both");
        Assert.True(table.TryMatch("/1/x/2/3", out _, out var values));
        Assert.Equal(2, values.Count);
        Assert.Equal(["a", "b"], values.Keys);
        Assert.Equal(["1", "2/3"], values.Values);
        Assert.Equal("1", values["a"]);
        Assert.True(values.ContainsKey("b"));
        Assert.False(values.TryGetValue("c", out _));
        Assert.Throws<KeyNotFoundException>(() => values["c"]);
    }
}
