using System.Diagnostics;
using System.Text.Json;
using FastChat.Server.Tests.Hosting;

namespace FastChat.Server.Tests.Seeds;

/// <summary>The front end of seed 002: sessions, streaming, and the document's own JavaScript.</summary>
public sealed class ChatbotSessionsTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Session_streaming_previous_messages_and_close()
    {
        string token = await _server.TokenAsync("ada");
        using var client = await _server.ClientAsync("ada");
        // As the document's fetch: a JSON content type, and no body.
        using var request = new HttpRequestMessage(HttpMethod.Post, "/chatbot/assistant/session") { Content = new StringContent("", null, "application/json") };
        using var opened = await client.SendAsync(request);
        var session = await opened.JsonAsync();
        Assert.Equal(["session_id", "conversation_id", "chatbot_id", "chatbot_name", "previous_messages"], session.Names());
        Assert.Equal(("assistant", "Assistant", 0),
            (session.Text("chatbot_id"), session.Text("chatbot_name"), session.GetProperty("previous_messages").GetArrayLength()));

        using var socket = await _server.ConnectAsync($"/ws/chat/{session.Text("session_id")}?token={token}");
        var info = await socket.NextAsync("session_info");
        Assert.Equal((session.Text("session_id"), "Assistant", "Connected to Assistant. You can start chatting!"),
            (info.Text("session_id"), info.Text("chatbot_name"), info.Text("message")));

        await socket.SendAsync("""
            {
                "message": "User's message text",
                "message_type": "text"
            }
            """);
        var received = await socket.NextAsync("message_received");
        Assert.NotEmpty(received.Text("message_id"));
        Assert.EndsWith("Z", received.Text("timestamp"), StringComparison.Ordinal);
        Assert.Equal("Assistant is thinking...", (await socket.NextAsync("response_start")).Text("message"));
        string text = "";
        JsonElement message;
        while ((message = await socket.NextAsync()).Text("type") == "response_chunk")
            text += message.Text("chunk");
        Assert.Equal("response_complete", message.Text("type"));
        Assert.Equal((TestServer.Answer, TestServer.Answer), (text, message.Text("full_response")));
        Assert.NotEmpty(message.Text("message_id"));
        Assert.EndsWith("Z", message.Text("timestamp"), StringComparison.Ordinal);

        await socket.SendAsync("""{"message": "", "message_type": "text"}""");
        Assert.NotEmpty((await socket.NextAsync("error")).Text("message"));

        using var reopened = await client.PostAsync(new Uri("/chatbot/assistant/session/", UriKind.Relative), null);
        var second = await reopened.JsonAsync();
        Assert.Equal(session.Text("conversation_id"), second.Text("conversation_id"));
        Assert.Equal([("user", "User's message text"), ("assistant", TestServer.Answer)],
            second.GetProperty("previous_messages").EnumerateArray().Select(m => (m.Text("role"), m.Text("message"))));
        Assert.All(second.GetProperty("previous_messages").EnumerateArray(), m => Assert.EndsWith("Z", m.Text("created_at"), StringComparison.Ordinal));

        // One active session a user: the old one is told and closed.
        Assert.Equal("session_replaced", (await socket.NextAsync("error")).Text("code"));
        Assert.Equal(4001, (await socket.ClosedAsync()).Code);

        using var closed = await client.DeleteAsync(new Uri($"/chatbot/session/{second.Text("session_id")}", UriKind.Relative));
        await closed.JsonAsync();
        using var again = await client.DeleteAsync(new Uri($"/chatbot/session/{second.Text("session_id")}", UriKind.Relative));
        Assert.Equal("Session not found.", await again.DetailAsync(404));
    }

    [Fact]
    public async Task The_documents_javascript_runs_unchanged()
    {
        var lines = await RunInNodeAsync();
        var session = lines.First(l => l[0].GetString() == "log")[1];
        Assert.Equal(["session_id", "conversation_id", "chatbot_id", "chatbot_name", "previous_messages"], session.Names());
        Assert.Contains(lines, l => Is(l, "log", "Connected to chat"));
        Assert.Contains(lines, l => Is(l, "displayMessage", "system", "Connected to Assistant. You can start chatting!"));
        Assert.Contains(lines, l => Is(l, "displayMessage", "user", "Hello, can you help me with my project?"));
        Assert.Contains(lines, l => l[0].GetString() == "log" && l[1].ToString() == "Message acknowledged:" && l[2].GetString()!.Length > 0);
        Assert.Contains(lines, l => Is(l, "log", "Assistant is responding..."));
        Assert.Single(lines, l => Is(l, "createNewAssistantMessage"));
        Assert.Equal(TestServer.Answer, string.Concat(lines.Where(l => l[0].GetString() == "appendToAssistantMessage").Select(l => l[1].GetString())));
        Assert.Contains(lines, l => Is(l, "finalizeAssistantMessage", TestServer.Answer));
        Assert.Contains(lines, l => Is(l, "log", "WebSocket closed"));
        Assert.DoesNotContain(lines, l => l[0].GetString() is "error" or "displayError");
        // Its beforeunload has closed the session.
        Assert.Equal(0, _server.Engine.Sessions.Count);
    }

    private static bool Is(JsonElement line, params string[] values) =>
        line.GetArrayLength() >= values.Length && values.Select((v, i) => line[i].ToString() == v).All(same => same);

    private async Task<List<JsonElement>> RunInNodeAsync()
    {
        string script = Path.Combine(_server.Data.FullName, "front-end.mjs");
        await File.WriteAllTextAsync(script, string.Join('\n', ((string[])["prelude", "", "epilogue"]).Select(part =>
        {
            using var reader = new StreamReader(typeof(ChatbotSessionsTests).Assembly.GetManifestResourceStream(
                part.Length > 0 ? $"chat-client.{part}.js" : "chat-client.js")!);
            return reader.ReadToEnd();
        })));
        Process? node = null;
        try
        {
            node = Process.Start(new ProcessStartInfo("node",
                ["--experimental-websocket", script, _server.Address.ToString(), await _server.TokenAsync("ada")])
            { RedirectStandardOutput = true, RedirectStandardError = true });
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("Node.js is not installed: the document's JavaScript was not run.");
        }
        using (node)
        {
            var errors = node!.StandardError.ReadToEndAsync();
            string output = await node.StandardOutput.ReadToEndAsync().WaitAsync(TestServer.Patience);
            await node.WaitForExitAsync().WaitAsync(TestServer.Patience);
            Assert.True(node.ExitCode == 0, output + await errors);
            return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
        }
    }
}
