using System.Text.Json;
using FastChat.Server.Tests.Hosting;

namespace FastChat.Server.Tests.Endpoints;

/// <summary>Bob tries everything with Ada's ids: he gets 404 or an error, the same as for ids that do not exist, and changes nothing.</summary>
public sealed class CrossUserTests : IAsyncLifetime
{
    private const string Secret = "Ada's secret";
    private TestServer _server = null!;
    private HttpClient _ada = null!;
    private HttpClient _bob = null!;
    private string _adaId = "", _conversation = "", _chatbot = "", _document = "", _session = "", _message = "";

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _ada = await _server.ClientAsync("ada");
        _bob = await _server.ClientAsync("bob");
        _adaId = (await _server.UserAsync("ada")).Id;
        using var chatted = await _ada.SendAsync("POST", "/chat", new { message = Secret });
        var answer = await chatted.JsonAsync();
        (_conversation, _message) = (answer.Text("conversation_id"), answer.Text("message_id"));
        using var made = await _ada.SendAsync("POST", "/chatbots", new { name = Secret, system_prompt = Secret });
        _chatbot = (await made.JsonAsync()).Text("id");
        using var form = new MultipartFormDataContent { { new StringContent(Secret), "file", "secret.txt" } };
        using var uploaded = await _ada.PostAsync(new Uri($"/chatbots/{_chatbot}/documents", UriKind.Relative), form);
        _document = (await uploaded.JsonAsync()).Text("id");
        using var opened = await _ada.SendAsync("POST", "/chatbot/assistant/session", new { conversation_id = _conversation });
        _session = (await opened.JsonAsync()).Text("session_id");
    }

    public async ValueTask DisposeAsync()
    {
        _ada.Dispose();
        _bob.Dispose();
        await _server.DisposeAsync();
    }

    private string Fill(string text) => text.Replace("CONVERSATION", _conversation, StringComparison.Ordinal)
        .Replace("CHATBOT", _chatbot, StringComparison.Ordinal).Replace("DOCUMENT", _document, StringComparison.Ordinal)
        .Replace("SESSION", _session, StringComparison.Ordinal).Replace("ADA", _adaId, StringComparison.Ordinal)
        .Replace("MESSAGE", _message, StringComparison.Ordinal);

    [Theory]
    [InlineData("GET", "/conversations/CONVERSATION", null)]
    [InlineData("GET", "/conversations?user_id=ADA", null)]
    [InlineData("GET", "/all_chat/?user_id=ADA", null)]
    [InlineData("PATCH", "/conversations/CONVERSATION", """{"title":"Bob's"}""")]
    [InlineData("DELETE", "/conversations/CONVERSATION", null)]
    [InlineData("GET", "/conversations/CONVERSATION/export?format=json", null)]
    [InlineData("GET", "/conversations/CONVERSATION/export?format=markdown", null)]
    [InlineData("POST", "/chat", """{"message":"hi","conversation_id":"CONVERSATION"}""")]
    [InlineData("POST", "/chat", """{"message":"hi","user_id":"ADA"}""")]
    [InlineData("POST", "/chat", """{"message":"hi","chatbot_id":"CHATBOT"}""")]
    [InlineData("POST", "/chatbot/CHATBOT/session", null)]
    [InlineData("POST", "/chatbot/assistant/session", """{"conversation_id":"CONVERSATION"}""")]
    [InlineData("DELETE", "/chatbot/session/SESSION", null)]
    [InlineData("GET", "/chatbots/CHATBOT", null)]
    [InlineData("PATCH", "/chatbots/CHATBOT", """{"name":"Bob's"}""")]
    [InlineData("DELETE", "/chatbots/CHATBOT", null)]
    [InlineData("GET", "/chatbots/CHATBOT/documents", null)]
    [InlineData("POST", "/chatbots/CHATBOT/documents", "FORM")]
    [InlineData("DELETE", "/chatbots/CHATBOT/documents/DOCUMENT", null)]
    [InlineData("DELETE", "/chatbots/assistant/documents/DOCUMENT", null)]
    public async Task Every_route_answers_as_if_there_were_nothing(string method, string path, string? body)
    {
        using var refused = await SendAsync(Fill(path), Fill(body ?? ""));
        Assert.DoesNotContain(Secret, await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        string detail = await refused.DetailAsync(404);
        // The same words as for an id that nobody has.
        string nothing = Fill(path).Replace(_conversation, "none", StringComparison.Ordinal).Replace(_chatbot, "none", StringComparison.Ordinal)
            .Replace(_document, "none", StringComparison.Ordinal).Replace(_session, "none", StringComparison.Ordinal).Replace(_adaId, "none", StringComparison.Ordinal);
        using var absent = await SendAsync(nothing, Fill(body ?? "").Replace(_conversation, "none", StringComparison.Ordinal)
            .Replace(_chatbot, "none", StringComparison.Ordinal).Replace(_adaId, "none", StringComparison.Ordinal));
        Assert.Equal(detail, await absent.DetailAsync(404));
        await EverythingIsThereAsync();

        async Task<HttpResponseMessage> SendAsync(string to, string content)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), to);
            if (content == "FORM")
                request.Content = new MultipartFormDataContent { { new StringContent("x"), "file", "x.txt" } };
            else if (content.Length > 0)
                request.Content = new StringContent(content, System.Text.Encoding.UTF8, "application/json");
            return await _bob.SendAsync(request);
        }
    }

    [Theory]
    [InlineData("GET", "/users/ADA", null)]
    [InlineData("POST", "/users", """{"name":"mallory"}""")]
    public async Task Users_are_for_admins(string method, string path, string? body)
    {
        using var refused = await _bob.SendAsync(method, Fill(path), body is null ? null : JsonSerializer.Deserialize<JsonElement>(body));
        Assert.Equal("This needs the admin role.", await refused.DetailAsync(403));
    }

    [Fact]
    public async Task Lists_and_search_show_none_of_it()
    {
        foreach (string path in (string[])["/conversations", "/all_chat/", "/conversations/search?q=secret", "/chatbots", "/chatbots/assistant/documents"])
        {
            using var response = await _bob.GetAsync(new Uri(path, UriKind.Relative));
            response.EnsureSuccessStatusCode();
            Assert.DoesNotContain(Secret, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("/ws/chat/SESSION?token=BOB")]
    [InlineData("/ws/?session_id=CONVERSATION&token=BOB")]
    [InlineData("/chat/?session_id=CONVERSATION&token=BOB")]
    [InlineData("/ws/chat/?session_id=CONVERSATION&token=BOB")]
    public async Task Sockets_on_what_is_adas_are_closed_with_an_error(string path)
    {
        using var socket = await _server.ConnectAsync(Fill(path).Replace("BOB", await _server.TokenAsync("bob"), StringComparison.Ordinal));
        Assert.Equal("not_found", (await socket.NextAsync()).Text("code"));
        Assert.Equal(1008, (await socket.ClosedAsync()).Code);
    }

    [Fact]
    public async Task A_user_id_beside_another_users_token_is_refused()
    {
        string token = await _server.TokenAsync("bob");
        foreach (string path in (string[])["/ws", "/ws/codes"])
            Assert.Equal(404, (await Assert.ThrowsAsync<RefusedException>(() => _server.ConnectAsync($"{path}?user_id={_adaId}&token={token}"))).Status);
    }

    [Theory]
    [InlineData("/ws/codes", """{"type":0,"data":{"user_id":"ADA"}}""")]
    [InlineData("/ws/codes", """{"type":1,"data":{"user_id":"ADA"}}""")]
    [InlineData("/ws/codes", """{"type":2,"data":{"user_id":"BOB","session_id":"CONVERSATION"}}""")]
    [InlineData("/ws/codes", """{"type":2,"data":{"user_id":"ADA","session_id":"CONVERSATION"}}""")]
    [InlineData("/ws/codes", """{"type":3,"data":{"user_id":"BOB","session_id":"CONVERSATION","message":"hi"}}""")]
    [InlineData("/ws/codes", """{"type":3,"data":{"user_id":"BOB","session_id":"","message":"hi","file_name":"secret.txt"}}""")]
    [InlineData("/ws/codes", """{"type":4,"data":{"user_id":"BOB","session_id":"CONVERSATION"}}""")]
    [InlineData("/ws/codes", """{"type":5,"data":{"user_id":"ADA"}}""")]
    [InlineData("/chat/", """{"message":"hi","session_id":"CONVERSATION"}""")]
    public async Task Socket_messages_about_what_is_adas_are_errors(string path, string message)
    {
        using var socket = await _server.ConnectAsync($"{path}?token={await _server.TokenAsync("bob")}");
        if (path == "/chat/")
            await socket.NextAsync();
        await socket.SendAsync(Fill(message).Replace("BOB", (await _server.UserAsync("bob")).Id, StringComparison.Ordinal));
        var error = await socket.NextAsync();
        Assert.Equal("not_found", error.Text("code"));
        Assert.DoesNotContain(Secret, error.GetRawText(), StringComparison.Ordinal);
        await EverythingIsThereAsync();
    }

    [Fact]
    public async Task Resume_and_stop_reach_nothing_of_adas()
    {
        _server.Model.Reply = null;
        await using var running = await RunningAnswerAsync();
        var (socket, _) = await _server.ChatAsync("bob");
        using (socket)
        {
            await socket.SendAsync(new { type = "resume", message_id = _message, last_seq = 0 });
            Assert.Equal("not_found", (await socket.NextAsync("error")).Text("code"));
            await socket.SendAsync(new { type = "stop", message_id = running.Id });
            // What comes behind shows that the stop was dealt with.
            await socket.SendAsync(new { type = "resume", message_id = running.Id });
            Assert.Equal("not_found", (await socket.NextAsync("error")).Text("code"));
            Assert.False(running.Answer.Cancellation.IsCancellationRequested);
        }
    }

    private async Task<Running> RunningAnswerAsync()
    {
        var socket = await _server.ConnectAsync($"/ws/chat/{_session}?token={await _server.TokenAsync("ada")}");
        await socket.NextAsync("session_info");
        await socket.SendAsync(new { message = "Go on" });
        string id = (await socket.NextAsync("message_received")).Text("message_id");
        var answer = await _server.Model.NextAsync();
        return new Running(socket, id, answer);
    }

    private sealed record Running(TestSocket Socket, string Id, TestKit.ScriptedAnswer Answer) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            Answer.Finish();
            await Socket.SkipToAsync("response_complete");
            Socket.Dispose();
        }
    }

    private async Task EverythingIsThereAsync()
    {
        var conversation = await _ada.GetJsonAsync($"/conversations/{_conversation}");
        Assert.Equal((Secret, 2), (conversation.Text("title"), conversation.GetProperty("messages").GetArrayLength()));
        Assert.Equal(Secret, (await _ada.GetJsonAsync($"/chatbots/{_chatbot}")).Text("name"));
        Assert.Equal(_document, Assert.Single((await _ada.GetJsonAsync($"/chatbots/{_chatbot}/documents")).EnumerateArray()).Text("id"));
        Assert.NotNull(_server.Engine.Sessions.Find(_adaId, _session));
    }
}
