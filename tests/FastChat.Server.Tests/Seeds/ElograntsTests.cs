using FastChat.Server.Tests.Hosting;

namespace FastChat.Server.Tests.Seeds;

/// <summary>The front end of seed 001: <c>/chat/</c> with <c>Authorization: Bearer</c>, <c>{message, session_id}</c> both ways.</summary>
public sealed class ElograntsTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("/chat/")]
    [InlineData("/chat")]
    [InlineData("/ws/chat/")]
    [InlineData("/ws/chat")]
    public async Task Without_a_session_id_the_first_frame_is_one_and_messages_carry_it(string path)
    {
        using var socket = await _server.ConnectAsync(path, ("Authorization", $"Bearer {await _server.TokenAsync("ada")}"));
        var first = await socket.NextAsync();
        Assert.Equal(["session_id"], first.Names());
        string id = first.Text("session_id");
        await socket.SendAsync($$"""
            {
              "message": "Hello AI!",
              "session_id": "{{id}}"
            }
            """);
        var answer = await socket.NextAsync();
        Assert.Equal((TestServer.Answer, id), (answer.Text("message"), answer.Text("session_id")));
    }

    [Fact]
    public async Task A_session_is_continued_and_its_history_comes_over_http_not_over_the_socket()
    {
        string token = await _server.TokenAsync("ada");
        string id;
        using (var socket = await _server.ConnectAsync("/chat/", ("Authorization", $"Bearer {token}")))
        {
            id = (await socket.NextAsync()).Text("session_id");
            await socket.SendAsync(new { message = "Hello AI!", session_id = id });
            await socket.NextAsync();
            await socket.CloseAsync();
        }
        using var client = await _server.ClientAsync("ada");
        var history = await client.GetJsonAsync($"/conversations/{id}");
        Assert.Equal(["Hello AI!", TestServer.Answer], history.GetProperty("messages").EnumerateArray().Select(m => m.Text("content")));

        using var again = await _server.ConnectAsync($"/chat/?session_id={id}", ("Authorization", $"Bearer {token}"));
        await again.SendAsync(new { message = "And again", session_id = id });
        // The very first frame is the answer: no history, and no new session.
        var answer = await again.NextAsync();
        Assert.Equal((TestServer.Answer, id), (answer.Text("message"), answer.Text("session_id")));
    }

    [Theory]
    [InlineData("/chat/")]
    [InlineData("/ws/chat/")]
    public async Task Without_a_valid_token_the_handshake_is_refused(string path)
    {
        Assert.Equal(401, (await Assert.ThrowsAsync<RefusedException>(() => _server.ConnectAsync(path))).Status);
        Assert.Equal(401, (await Assert.ThrowsAsync<RefusedException>(() => _server.ConnectAsync(path, ("Authorization", "Bearer x")))).Status);
    }
}
