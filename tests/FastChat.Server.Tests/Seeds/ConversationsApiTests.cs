using FastChat.Server.Tests.Hosting;

namespace FastChat.Server.Tests.Seeds;

/// <summary>The front end of seed 003: <c>X-User-ID</c> or <c>user_id</c>, <c>POST /chat</c>, <c>/conversations</c> and the socket at <c>/ws</c>.</summary>
public sealed class ConversationsApiTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Chat_list_get_and_delete()
    {
        var http = _server.Http;
        http.DefaultRequestHeaders.Add("X-User-ID", "user-1");
        using var chatted = await http.SendAsync("POST", "/chat", new { message = "What is up?", user_id = "user-1" });
        var answer = await chatted.JsonAsync();
        Assert.Equal(TestServer.Answer, answer.Text("response"));
        string id = answer.Text("conversation_id");

        foreach (string path in (string[])["/conversations?user_id=user-1", "/conversations/?user_id=user-1"])
            CheckConversation(Assert.Single((await http.GetJsonAsync(path)).EnumerateArray()), id);
        CheckConversation(await http.GetJsonAsync($"/conversations/{id}"), id);

        using var deleted = await http.SendAsync("DELETE", $"/conversations/{id}");
        Assert.Equal("""{"message":"Conversation deleted successfully"}""", await deleted.Content.ReadAsStringAsync());
        using var gone = await http.GetAsync(new Uri($"/conversations/{id}", UriKind.Relative));
        Assert.Equal("Conversation not found.", await gone.DetailAsync(404));
        Assert.Equal(0, (await http.GetJsonAsync("/conversations?user_id=user-1")).GetArrayLength());
    }

    private static void CheckConversation(System.Text.Json.JsonElement conversation, string id)
    {
        Assert.Equal(id, conversation.Text("id"));
        Assert.Equal("user-1", conversation.Text("user_id"));
        Assert.Equal(DateTimeKind.Utc, conversation.GetProperty("created_at").GetDateTime().Kind);
        var messages = conversation.GetProperty("messages").EnumerateArray().ToArray();
        Assert.Equal([("user", "What is up?"), ("assistant", TestServer.Answer)], messages.Select(m => (m.Text("role"), m.Text("content"))));
        Assert.All(messages, m =>
        {
            Assert.NotEmpty(m.Text("id"));
            Assert.Equal(DateTimeKind.Utc, m.GetProperty("created_at").GetDateTime().Kind);
        });
    }

    [Fact]
    public async Task The_user_id_of_the_body_is_enough()
    {
        using var chatted = await _server.Http.SendAsync("POST", "/chat/", new { message = "Hi", user_id = "user-2" });
        Assert.Equal(TestServer.Answer, (await chatted.JsonAsync()).Text("response"));
        using var nobody = await _server.Http.SendAsync("POST", "/chat", new { message = "Hi" });
        await nobody.DetailAsync(401);
    }

    [Theory]
    [InlineData("""{"user_id":"user-1"}""", "\"message\" is missing.")]
    [InlineData("""{"user_id":"user-1","message":"  "}""", "The message is empty.")]
    [InlineData("""{"user_id":"user-1","message":""", "The body is not valid JSON.")]
    [InlineData("""{"user_id":"user-1","message":5}""", "The body is not valid: see \"message\".")]
    [InlineData("null", "A JSON body is needed.")]
    public async Task Bad_requests_have_a_detail(string body, string detail)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var refused = await _server.Http.PostAsync(new Uri("/chat", UriKind.Relative), content);
        Assert.Equal(detail, await refused.DetailAsync(400));
    }

    [Fact]
    public async Task A_hundred_requests_a_minute_and_no_more()
    {
        var http = _server.Http;
        http.DefaultRequestHeaders.Add("X-User-ID", "greedy");
        using (var socket = await _server.ConnectAsync("/ws?user_id=greedy"))
        {
            // The socket counts with REST.
            await socket.SendAsync("""{"type":"message","content":"one"}""");
            Assert.Equal("response", (await socket.NextAsync()).Text("type"));
            for (int left = 98; left >= 0; left--)
            {
                using var passed = await http.GetAsync(new Uri("/models", UriKind.Relative));
                Assert.Equal($"{left}", passed.Headers.GetValues("RateLimit-Remaining").Single());
            }
            await socket.SendAsync("""{"type":"message","content":"two"}""");
            var error = await socket.NextAsync();
            Assert.Equal(("error", "rate_limited"), (error.Text("type"), error.Text("code")));
            Assert.InRange(error.GetProperty("retry_after").GetInt32(), 1, 60);
        }
        using var refused = await http.GetAsync(new Uri("/models", UriKind.Relative));
        Assert.StartsWith("Too many requests", await refused.DetailAsync(429), StringComparison.Ordinal);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
    }

    [Fact]
    public async Task The_socket_answers_messages_with_responses()
    {
        using var socket = await _server.ConnectAsync("/ws?user_id=user-3");
        await socket.SendAsync("""
            {
                "type": "message",
                "content": "string"
            }
            """);
        var response = await socket.NextAsync();
        Assert.Equal(("response", TestServer.Answer), (response.Text("type"), response.Text("content")));
        await socket.SendAsync("""{"type": "nonsense"}""");
        Assert.Equal("error", (await socket.NextAsync()).Text("type"));
        // The connection lives on.
        await socket.SendAsync("""{"content": "again", "type": "message"}""");
        Assert.Equal("response", (await socket.NextAsync()).Text("type"));
    }

    [Fact]
    public async Task Without_a_user_id_the_socket_is_refused() =>
        Assert.Equal(401, (await Assert.ThrowsAsync<RefusedException>(() => _server.ConnectAsync("/ws"))).Status);
}
