using System.Text.Json;
using FastChat.Server.Tests.Hosting;

namespace FastChat.Server.Tests.Seeds;

/// <summary>The front end of seed 004: integer types 0 to 5 with <c>data</c>, on its own socket and on every other.</summary>
public sealed class MessageCodesTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private string _user = "";

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _user = (await _server.UserAsync("grace")).Id;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static async Task<JsonElement> AskAsync(TestSocket socket, int type, object data)
    {
        await socket.SendAsync(new { type, data });
        var reply = await socket.NextAsync();
        Assert.Equal(type, reply.GetProperty("type").GetInt32());
        return reply;
    }

    [Theory]
    [InlineData("/ws/codes")]
    [InlineData("/ws/codes/?user_id=USER")]
    [InlineData("/ws?user_id=USER")]
    public async Task Every_code_as_documented(string path)
    {
        using var socket = await _server.ConnectAsync(path.Replace("USER", _user, StringComparison.Ordinal));
        var details = await AskAsync(socket, 0, new { user_id = _user });
        Assert.Equal((_user, "grace"), (details.Text("user_id"), details.Text("username")));

        var chat = await AskAsync(socket, 3, new { user_id = _user, session_id = "", model_id = 0, message = "Hello there", session_prompt = "", file_name = "" });
        Assert.Equal((_user, "Hello there", TestServer.Answer), (chat.Text("user_id"), chat.Text("session_name"), chat.Text("message")));
        string session = chat.Text("session_id");

        var again = await AskAsync(socket, 3, new { user_id = _user, session_id = session, model_id = 1, message = "And?", session_prompt = "Be brief." });
        Assert.Equal((session, "Hello there"), (again.Text("session_id"), again.Text("session_name")));

        var sessions = await AskAsync(socket, 1, new { user_id = _user });
        Assert.Equal(_user, sessions.Text("user_id"));
        var info = Assert.Single(sessions.GetProperty("session_info").EnumerateArray());
        Assert.Equal((session, "Hello there"), (info.Text("session_id"), info.Text("session_name")));

        var chats = await AskAsync(socket, 2, new { user_id = _user, session_id = session });
        Assert.Equal((_user, session), (chats.Text("user_id"), chats.Text("session_id")));
        using var text = JsonDocument.Parse(chats.Text("chat"));
        Assert.Equal(["Hello there", TestServer.Answer, "And?", TestServer.Answer], text.RootElement.EnumerateArray().Select(m => m.Text("content")));

        var models = await AskAsync(socket, 5, new { user_id = _user });
        Assert.Equal(["scripted", "second"], models.GetProperty("models").EnumerateArray().Select(m => m.GetString()));

        var deleted = await AskAsync(socket, 4, new { user_id = _user, session_id = session });
        Assert.Equal(_user, deleted.Text("user_id"));
        Assert.Equal(0, (await AskAsync(socket, 1, new { user_id = _user })).GetProperty("session_info").GetArrayLength());
    }

    [Fact]
    public async Task A_user_whom_nobody_made_is_unknown()
    {
        using var socket = await _server.ConnectAsync("/ws/codes");
        var reply = await AskAsync(socket, 0, new { user_id = "invented" });
        Assert.Equal("not_found", reply.Text("code"));
        Assert.Equal(404, (await Assert.ThrowsAsync<RefusedException>(() => _server.ConnectAsync("/ws/codes?user_id=invented"))).Status);
    }

    [Fact]
    public async Task A_user_made_by_rest_can_chat()
    {
        using var admin = await _server.ClientAsync("root", admin: true);
        using var made = await admin.SendAsync("POST", "/users", new { name = "new user" });
        string id = (await made.JsonAsync()).Text("id");
        using var socket = await _server.ConnectAsync("/ws/codes");
        Assert.Equal("new user", (await AskAsync(socket, 0, new { user_id = id })).Text("username"));
    }

    [Fact]
    public async Task A_document_uploaded_before_is_the_context()
    {
        using var client = await _server.ClientAsync("grace");
        using var form = new MultipartFormDataContent();
        form.Add(new StringContent("The launch code of the kettle is teapot-7."), "file", "kettle.txt");
        using var uploaded = await client.PostAsync(new Uri("/chatbots/assistant/documents", UriKind.Relative), form);
        await uploaded.JsonAsync();
        string prompt = "";
        _server.Model.Reply = messages =>
        {
            prompt = string.Join('\n', messages.Select(m => m.Text));
            return ["ok"];
        };
        using var socket = await _server.ConnectAsync($"/ws/codes?token={await _server.TokenAsync("grace")}");
        await AskAsync(socket, 3, new { user_id = _user, session_id = "", model_id = 0, message = "What is the launch code?", session_prompt = "", file_name = "kettle.txt" });
        Assert.Contains("teapot-7", prompt, StringComparison.Ordinal);
        var missing = await AskAsync(socket, 3, new { user_id = _user, session_id = "", model_id = 0, message = "And?", session_prompt = "", file_name = "no.txt" });
        Assert.Equal("not_found", missing.Text("code"));
    }
}
