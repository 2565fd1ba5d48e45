using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using FastChat.Server.Tests.Hosting;

namespace FastChat.Server.Tests.Endpoints;

/// <summary>
/// docs/protocol.md is true: each of its client messages is sent as it stands there (only ids are put in), and each of its server messages
/// has exactly the members, of the same kinds, of one that the server has sent.
/// </summary>
public sealed partial class ProtocolDocumentTests : IAsyncLifetime
{
    private readonly ILookup<string, string> _examples = Read().ToLookup(e => e.Heading, e => e.Text);
    private readonly HashSet<string> _seen = [];
    private TestServer _server = null!;
    private string _token = "", _user = "";

    [GeneratedRegex("^#+ (?<heading>[^\n]+)$|^```(?<kind>[a-z]*)\n(?<text>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex HeadingOrBlock();

    [GeneratedRegex("01hm6q[0-9a-z]{6}")]
    private static partial Regex Id();

    private static IEnumerable<(string Heading, string Text)> Read()
    {
        using var reader = new StreamReader(typeof(ProtocolDocumentTests).Assembly.GetManifestResourceStream("protocol.md")!);
        string heading = "";
        foreach (Match part in HeadingOrBlock().Matches(reader.ReadToEnd()))
        {
            if (part.Groups["heading"].Success)
                heading = part.Groups["heading"].Value.Trim();
            else
                yield return (heading, part.Groups["text"].Value.TrimEnd('\n'));
        }
    }

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync(new() { ["RateLimits:PerMinute"] = "40" });
        _token = await _server.TokenAsync("alice");
        _user = (await _server.UserAsync("alice")).Id;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    /// <summary>An example with real ids; the nth where a heading has several.</summary>
    private string Example(string heading, string id = "", int n = 0)
    {
        _seen.Add(heading);
        string text = _examples[heading].ElementAt(n);
        return Id().Replace(text.Replace("01hm6q7c0v2s", _user, StringComparison.Ordinal), id);
    }

    private void Check(string heading, JsonElement actual)
    {
        using var expected = JsonDocument.Parse(Example(heading, "id"));
        Assert.Equal(Shape(expected.RootElement), Shape(actual));
    }

    /// <summary>Names and kinds, and the values that name a kind of message.</summary>
    private static string Shape(JsonElement e) => e.ValueKind switch
    {
        JsonValueKind.Object => "{" + string.Join(", ", e.EnumerateObject().OrderBy(p => p.Name, StringComparer.Ordinal)
            .Select(p => p.Name is "type" or "code" or "finish_reason" ? $"{p.Name}={p.Value}" : $"{p.Name}:{Shape(p.Value)}")) + "}",
        JsonValueKind.Array => e.GetArrayLength() == 0 ? "[]" : $"[{Shape(e[0])}]",
        var kind => kind.ToString(),
    };

    [Fact]
    public async Task Sessions()
    {
        using var client = await _server.ClientAsync("alice");
        using var form = new MultipartFormDataContent { { new StringContent("The harbour closes at nine: help with a project."), "file", "harbour.md" } };
        using var uploaded = await client.PostAsync(new Uri("/chatbots/assistant/documents", UriKind.Relative), form);
        await uploaded.JsonAsync();
        _server.Model.Reply = null;
        var (socket, session) = await _server.ChatAsync("alice");
        using (socket)
        {
            await socket.SendAsync(Example("Client: a message"));
            var received = await socket.NextAsync("message_received");
            Check("Server: message_received", received);
            Check("Server: response_start", await socket.NextAsync("response_start"));
            var answer = await _server.Model.NextAsync();
            answer.Say("Hello! ").Say("I'd be ");
            Check("Server: response_chunk", await socket.SkipToAsync("response_chunk"));

            // A second tab: told that an answer runs, and resuming it.
            using var second = await _server.ConnectAsync($"/ws/chat/{session.Text("session_id")}?token={_token}");
            Check("Server: session_info", await second.NextAsync("session_info"));
            await second.SendAsync(Example("Client: resume", received.Text("response_id")).Replace("\"last_seq\":2", "\"last_seq\":0", StringComparison.Ordinal));
            Assert.StartsWith("Hello!", (await second.SkipToAsync("response_chunk")).Text("chunk"), StringComparison.Ordinal);
            answer.Say("happy to help").Use(12, 7).Finish();
            Check("Server: response_complete", await socket.SkipToAsync("response_complete"));
            await second.SkipToAsync("response_complete");

            await socket.SendAsync(new { message = "another" });
            Check("Server: user_message", await second.NextAsync("user_message"));
            await _server.Model.NextAsync();
            await socket.SendAsync(Example("Client: stop"));
            Assert.Equal("cancelled", (await socket.SkipToAsync("response_complete")).Text("finish_reason"));
            await socket.SendAsync(new { message = "a third" });
            var third = await socket.SkipToAsync("message_received");
            await _server.Model.NextAsync();
            await socket.SendAsync(Example("Client: stop", third.Text("response_id"), 1));
            Assert.Equal("cancelled", (await socket.SkipToAsync("response_complete")).Text("finish_reason"));

            // Until the limit says no.
            var message = JsonDocument.Parse("{}").RootElement;
            for (int i = 0; i < 45 && !(message.TryGetProperty("code", out var code) && code.ToString() == "rate_limited"); i++)
            {
                await socket.SendAsync(string.Create(CultureInfo.InvariantCulture, $$"""{"message":"","client_message_id":"{{i}}"}"""));
                message = await socket.SkipToAsync("error");
            }
            Check("Server: error", message);
        }
        AllSeen("Sessions");
    }

    [Fact]
    public async Task Texts()
    {
        using var socket = await _server.ConnectAsync($"/ws/?token={_token}");
        await socket.SendAsync(Example("Client: a message as text"));
        Assert.Equal(TestServer.Answer, await socket.TextAsync());
        Assert.DoesNotContain("{", Example("Server: its answer as text"), StringComparison.Ordinal);
        await socket.SendAsync(Example("Client: a message as JSON"));
        Check("Server: its answer as JSON", await socket.NextAsync());
        await socket.SendAsync("""{"message":""}""");
        var error = await socket.NextAsync();
        Check("Server: an error", error);
        Assert.Contains(error.Text("error"), Example("Server: an error"), StringComparison.Ordinal);
        AllSeen("Text");
    }

    [Fact]
    public async Task Messages()
    {
        using var socket = await _server.ConnectAsync($"/chat/?token={_token}");
        var session = await socket.NextAsync();
        Check("Server: the session, when the URL named none", session);
        await socket.SendAsync(Example("Client: a message to the session", session.Text("session_id")));
        Check("Server: the session's answer", await socket.NextAsync());
        await socket.SendAsync("""{"message":"hi","session_id":"nobody's"}""");
        Check("Server: a session's error", await socket.NextAsync());
        AllSeen("Messages");
    }

    [Fact]
    public async Task Conversations()
    {
        using var socket = await _server.ConnectAsync($"/ws?user_id={_user}");
        await socket.SendAsync(Example("Client: message"));
        Check("Server: response", await socket.NextAsync());
        await socket.SendAsync("""{"type":"message"}""");
        var error = await socket.NextAsync();
        Check("Server: an error in a conversation", error);
        Assert.Equal("\"content\" is missing.", error.Text("content"));
        AllSeen("Conversations");
    }

    [Fact]
    public async Task Codes()
    {
        using var socket = await _server.ConnectAsync($"/ws/codes?token={_token}");
        string session = "";
        foreach (string heading in (string[])["0, user details", "3, chat message", "1, list of sessions", "2, chats of a session", "5, list of models", "4, delete a session"])
        {
            await socket.SendAsync(Example($"Client: {heading}", session));
            var reply = await socket.NextAsync();
            Check($"Server: {heading[..1]}", reply);
            if (heading[0] == '3')
                session = reply.Text("session_id");
            if (heading[0] != '2')
                continue;
            using var real = JsonDocument.Parse(reply.Text("chat"));
            using var example = JsonDocument.Parse(JsonDocument.Parse(Example("Server: 2", "id")).RootElement.Text("chat"));
            Assert.Equal(Shape(example.RootElement), Shape(real.RootElement));
        }
        await socket.SendAsync(new { type = 3, data = new { user_id = _user, session_id = "nobody's", message = "hi" } });
        Check("Server: an error of a code", await socket.NextAsync());
        AllSeen("Codes");
    }

    /// <summary>No example of the section was passed over.</summary>
    private void AllSeen(string section)
    {
        using var reader = new StreamReader(typeof(ProtocolDocumentTests).Assembly.GetManifestResourceStream("protocol.md")!);
        string text = reader.ReadToEnd();
        int start = text.IndexOf($"\n## {section}\n", StringComparison.Ordinal), end = text.IndexOf("\n## ", start + 4, StringComparison.Ordinal);
        var headings = HeadingOrBlock().Matches(text[start..(end < 0 ? text.Length : end)])
            .Where(p => p.Groups["heading"].Success && p.Value.StartsWith("###", StringComparison.Ordinal)).Select(p => p.Groups["heading"].Value.Trim());
        Assert.Equal([], headings.Except(_seen));
    }
}
