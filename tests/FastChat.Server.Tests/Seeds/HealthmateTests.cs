using FastChat.Server.Tests.Hosting;

namespace FastChat.Server.Tests.Seeds;

/// <summary>The front end of seed 000: <c>/ws/</c> with <c>token</c> and perhaps <c>session_id</c>, and <c>GET /all_chat/</c>.</summary>
public sealed class HealthmateTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Text_in_answer_out_and_the_conversation_is_listed_under_its_first_message()
    {
        string token = await _server.TokenAsync("ada");
        using var socket = await _server.ConnectAsync($"/ws/?token={token}");
        await socket.SendAsync("I have a headache.");
        Assert.Equal(TestServer.Answer, await socket.TextAsync());
        await socket.SendAsync("Since yesterday.");
        Assert.Equal(TestServer.Answer, await socket.TextAsync());

        using var client = await _server.ClientAsync("ada");
        foreach (string path in (string[])["/all_chat/", "/all_chat"])
        {
            var chats = await client.GetJsonAsync(path);
            var chat = Assert.Single(chats.EnumerateArray());
            Assert.Equal(["title", "date", "id"], chat.Names());
            Assert.Equal("I have a headache.", chat.Text("title"));
            Assert.Equal(DateTimeKind.Utc, chat.GetProperty("date").GetDateTime().Kind);
            Assert.NotEmpty(chat.Text("id"));
        }
    }

    [Fact]
    public async Task A_session_id_goes_on_with_that_conversation()
    {
        string token = await _server.TokenAsync("ada");
        using (var first = await _server.ConnectAsync($"/ws/?token={token}"))
        {
            await first.SendAsync("One");
            await first.TextAsync();
            await first.CloseAsync();
        }
        using var client = await _server.ClientAsync("ada");
        string id = (await client.GetJsonAsync("/all_chat/"))[0].Text("id");
        using var second = await _server.ConnectAsync($"/ws/?session_id={id}&token={token}");
        await second.SendAsync("""{"message": "Two"}""");
        var answer = await second.NextAsync();
        Assert.Equal((TestServer.Answer, id), (answer.Text("message"), answer.Text("session_id")));
        var conversation = await client.GetJsonAsync($"/conversations/{id}");
        Assert.Equal(["One", TestServer.Answer, "Two", TestServer.Answer], conversation.GetProperty("messages").EnumerateArray().Select(m => m.Text("content")));
    }

    [Theory]
    [InlineData("/ws/")]
    [InlineData("/ws/?token=")]
    [InlineData("/ws/?token=nonsense")]
    [InlineData("/ws?token=nonsense")]
    public async Task Failed_authentication_is_an_error_message_and_then_1008_with_a_reason(string path)
    {
        using var socket = await _server.ConnectAsync(path);
        var error = await socket.NextAsync();
        Assert.NotEmpty(error.Text("error"));
        Assert.Equal("unauthorized", error.Text("code"));
        var (code, reason) = await socket.ClosedAsync();
        Assert.Equal(1008, code);
        Assert.Equal(error.Text("error")[..Math.Min(40, error.Text("error").Length)], reason![..Math.Min(40, reason!.Length)]);
    }

    [Fact]
    public async Task Somebody_elses_session_id_is_an_error()
    {
        string token = await _server.TokenAsync("ada");
        using var first = await _server.ConnectAsync($"/ws/?token={token}");
        await first.SendAsync("Mine");
        await first.TextAsync();
        using var client = await _server.ClientAsync("ada");
        string id = (await client.GetJsonAsync("/all_chat/"))[0].Text("id");
        using var second = await _server.ConnectAsync($"/ws/?session_id={id}&token={await _server.TokenAsync("bob")}");
        Assert.Equal("not_found", (await second.NextAsync()).Text("code"));
        Assert.Equal(1008, (await second.ClosedAsync()).Code);
    }
}
