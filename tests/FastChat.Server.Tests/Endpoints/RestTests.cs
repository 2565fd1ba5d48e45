using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using FastChat.Server.Tests.Hosting;

namespace FastChat.Server.Tests.Endpoints;

/// <summary>The routes beyond the seeds.</summary>
public sealed class RestTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private HttpClient _ada = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync(new() { ["RateLimits:PerMinute"] = "1000", ["Limits:MaxDocumentBytes"] = "2000", ["Limits:MaxBodyBytes"] = "4096" });
        _ada = await _server.ClientAsync("ada");
    }

    public ValueTask DisposeAsync()
    {
        _ada.Dispose();
        return _server.DisposeAsync();
    }

    private Task<HttpResponseMessage> GetAsync(string path) => _ada.GetAsync(new Uri(path, UriKind.Relative));

    private async Task<string> ChatAsync(string message)
    {
        using var chatted = await _ada.SendAsync("POST", "/chat", new { message });
        return (await chatted.JsonAsync()).Text("conversation_id");
    }

    private async Task<HttpResponseMessage> UploadAsync(string text, string name, string? type = null, string chatbot = "assistant")
    {
        using var file = new StringContent(text);
        file.Headers.ContentType = type is null ? null : MediaTypeHeaderValue.Parse(type);
        using var form = new MultipartFormDataContent { { new StringContent("ignored"), "note" }, { file, "file", name } };
        return await _ada.PostAsync(new Uri($"/chatbots/{chatbot}/documents", UriKind.Relative), form);
    }

    [Fact]
    public async Task Chatbots_are_made_listed_changed_and_deleted()
    {
        using var made = await _ada.SendAsync("POST", "/chatbots", new { name = " Pirate ", model = "second", system_prompt = "Arr.", visibility = "public" });
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        var pirate = await made.JsonAsync();
        string id = pirate.Text("id");
        Assert.Equal($"/chatbots/{id}", made.Headers.Location!.ToString());
        Assert.Equal(("Pirate", "second", "Arr.", "public", true),
            (pirate.Text("name"), pirate.Text("model"), pirate.Text("system_prompt"), pirate.Text("visibility"), pirate.GetProperty("owned").GetBoolean()));
        Assert.Equal([id, "assistant"], (await _ada.GetJsonAsync("/chatbots")).EnumerateArray().Select(c => c.Text("id")));

        using var changed = await _ada.SendAsync("PATCH", $"/chatbots/{id}/", new { name = "Captain", model = "" });
        var captain = await changed.JsonAsync();
        Assert.Equal(("Captain", "Arr."), (captain.Text("name"), captain.Text("system_prompt")));
        Assert.False(captain.TryGetProperty("model", out _));

        using var bob = await _server.ClientAsync("bob");
        var seen = await bob.GetJsonAsync($"/chatbots/{id}");
        Assert.False(seen.GetProperty("owned").GetBoolean());
        Assert.False(seen.TryGetProperty("system_prompt", out _)); // what its owner tells it is its owner's

        using var deleted = await _ada.SendAsync("DELETE", $"/chatbots/{id}");
        await deleted.JsonAsync();
        using var gone = await GetAsync($"/chatbots/{id}");
        Assert.Equal("Chatbot not found.", await gone.DetailAsync(404));
        using var builtIn = await _ada.SendAsync("DELETE", "/chatbots/assistant");
        await builtIn.DetailAsync(404);
    }

    [Theory]
    [InlineData("""{}""", "A name has 1 to 200 characters on one line.")]
    [InlineData("""{"name":"x","model":"none"}""", "There is no model of this name.")]
    [InlineData("""{"name":"x","visibility":"everybody"}""", "The body is not valid: see \"visibility\".")]
    [InlineData("""{"name":["x"]}""", "The body is not valid: see \"name\".")]
    [InlineData("""[]""", "The body is not valid JSON.")]
    public async Task Bad_chatbots_are_refused(string body, string detail)
    {
        using var content = new StringContent(body, null, "application/json");
        using var refused = await _ada.PostAsync(new Uri("/chatbots", UriKind.Relative), content);
        Assert.Equal(detail, await refused.DetailAsync(400));
    }

    [Theory]
    [InlineData("note.txt", "text/plain", "Plain words.")]
    [InlineData("note.md", "text/markdown", "# Heading\n\nWords.")]
    [InlineData("page.html", "text/html", "<html><body><p>Words</p></body></html>")]
    [InlineData("table.csv", "text/csv", "name,age\nada,36\n")]
    [InlineData("data.json", "application/json", "{\"name\":\"ada\"}")]
    public async Task Documents_are_uploaded_listed_and_deleted(string name, string type, string text)
    {
        using var uploaded = await UploadAsync(text, name, type);
        Assert.Equal(HttpStatusCode.Created, uploaded.StatusCode);
        var document = await uploaded.JsonAsync();
        Assert.Equal((name, type, "assistant", (long)text.Length),
            (document.Text("file_name"), document.Text("content_type"), document.Text("chatbot_id"), document.GetProperty("size").GetInt64()));
        Assert.InRange(document.GetProperty("passage_count").GetInt32(), 1, 10);
        Assert.Equal(document.Text("id"), Assert.Single((await _ada.GetJsonAsync("/chatbots/assistant/documents")).EnumerateArray()).Text("id"));
        using var deleted = await _ada.SendAsync("DELETE", $"/chatbots/assistant/documents/{document.Text("id")}");
        await deleted.JsonAsync();
        Assert.Equal(0, (await _ada.GetJsonAsync("/chatbots/assistant/documents/")).GetArrayLength());
    }

    [Fact]
    public async Task Anything_else_is_a_415_that_lists_what_is_accepted()
    {
        using var refused = await UploadAsync("%PDF-1.7", "paper.pdf", "application/pdf");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, refused.StatusCode);
        var problem = JsonDocument.Parse(await refused.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(["text/plain", "text/markdown", "text/html", "text/csv", "application/json"],
            problem.GetProperty("accepted").EnumerateArray().Select(a => a.GetString()));
        Assert.NotEmpty(problem.Text("detail"));

        using var notAForm = await _ada.SendAsync("POST", "/chatbots/assistant/documents", new { file = "x" });
        await notAForm.DetailAsync(415);
        using var empty = new MultipartFormDataContent { { new StringContent("x"), "note" } };
        using var noFile = await _ada.PostAsync(new Uri("/chatbots/assistant/documents", UriKind.Relative), empty);
        Assert.Equal("There is no file in the form.", await noFile.DetailAsync(400));
        using var broken = new StringContent("--b\r\nContent-Disposition: form-data; name=f; filename=a.txt\r\n\r\nnever ends");
        broken.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=b");
        using var cut = await _ada.PostAsync(new Uri("/chatbots/assistant/documents", UriKind.Relative), broken);
        Assert.Equal("The form is malformed.", await cut.DetailAsync(400));
        using var blank = await UploadAsync("   ", "blank.txt", "text/plain");
        Assert.Equal("There is no text in this file.", await blank.DetailAsync(400));
    }

    [Fact]
    public async Task Bodies_beyond_their_limits_are_413()
    {
        using var document = await UploadAsync(new string('x', 2001), "big.txt", "text/plain");
        Assert.Equal("A document has at most 2000 bytes.", await document.DetailAsync(413));
        using var fits = await UploadAsync(new string('x', 2000), "fits.txt", "text/plain");
        await fits.JsonAsync();
        using var huge = await UploadAsync(new string('x', 200_000), "huge.txt", "text/plain");
        await huge.DetailAsync(413);
        using var message = await _ada.SendAsync("POST", "/chat", new { message = new string('x', 5000) });
        Assert.Equal("The request is too large.", await message.DetailAsync(413));
    }

    [Fact]
    public async Task Json_must_be_called_json()
    {
        using var text = new StringContent("""{"message":"Hi"}""", null, "text/plain");
        using var refused = await _ada.PostAsync(new Uri("/chat", UriKind.Relative), text);
        Assert.Equal("This Content-Type is not accepted here.", await refused.DetailAsync(415));
    }

    [Fact]
    public async Task Conversations_are_renamed_searched_and_exported()
    {
        string id = await ChatAsync("Where does the zebra sleep?");
        await ChatAsync("Something else");
        using var renamed = await _ada.SendAsync("PATCH", $"/conversations/{id}", new { title = "Zebras & co" });
        var conversation = await renamed.JsonAsync();
        Assert.Equal(("Zebras & co", 2), (conversation.Text("title"), conversation.GetProperty("message_count").GetInt32()));
        using var untitled = await _ada.SendAsync("PATCH", $"/conversations/{id}", new { title = "" });
        Assert.Equal("A title has 1 to 200 characters on one line.", await untitled.DetailAsync(400));
        using var missing = await _ada.SendAsync("PATCH", $"/conversations/{id}", new { name = "x" });
        Assert.Equal("\"title\" is missing.", await missing.DetailAsync(400));

        var hit = Assert.Single((await _ada.GetJsonAsync("/conversations/search?q=zebra%20sleep")).EnumerateArray());
        Assert.Equal((id, "Zebras & co"), (hit.Text("id"), hit.Text("title")));
        Assert.Contains("zebra", hit.Text("snippet"), StringComparison.Ordinal);
        using var blank = await GetAsync("/conversations/search?q=%20");
        Assert.Equal("\"q\" is missing.", await blank.DetailAsync(400));

        using var json = await GetAsync($"/conversations/{id}/export?format=json");
        Assert.Equal("application/json", json.Content.Headers.ContentType?.MediaType);
        Assert.Equal("Zebras---co.json", json.Content.Headers.ContentDisposition?.FileName);
        var exported = await json.JsonAsync();
        Assert.Equal(["Where does the zebra sleep?", TestServer.Answer], exported.GetProperty("messages").EnumerateArray().Select(m => m.Text("content")));
        using var markdown = await GetAsync($"/conversations/{id}/export?format=markdown");
        Assert.Equal("text/markdown", markdown.Content.Headers.ContentType?.MediaType);
        string text = await markdown.Content.ReadAsStringAsync();
        Assert.StartsWith("# Zebras & co\n", text, StringComparison.Ordinal);
        Assert.Contains("Where does the zebra sleep?", text, StringComparison.Ordinal);
        using var other = await GetAsync($"/conversations/{id}/export?format=pdf");
        Assert.Equal("\"format\" must be json or markdown.", await other.DetailAsync(400));
    }

    [Fact]
    public async Task Every_list_comes_in_pages()
    {
        for (int i = 0; i < 5; i++)
        {
            await ChatAsync($"question number {i}");
            using var made = await _ada.SendAsync("POST", "/chatbots", new { name = $"bot {i}" });
            using var uploaded = await UploadAsync($"document {i}", $"{i}.txt", "text/plain");
        }
        string conversation = await ChatAsync("long");
        for (int i = 0; i < 2; i++)
        {
            using var chatted = await _ada.SendAsync("POST", "/chat", new { message = $"more {i}", conversation_id = conversation });
        }
        await PagesAsync("/conversations?messages=false", 6, body => body);
        await PagesAsync("/conversations", 6, body => body);
        await PagesAsync("/all_chat/", 6, body => body);
        await PagesAsync("/conversations/search?q=question", 5, body => body);
        await PagesAsync("/chatbots", 6, body => body);
        await PagesAsync("/chatbots/assistant/documents", 5, body => body);
        await PagesAsync($"/conversations/{conversation}", 6, body => body.GetProperty("messages"));
        foreach (string limit in (string[])["0", "-1", "1001", "x", ""])
        {
            using var refused = await GetAsync($"/conversations?limit={limit}");
            Assert.Equal("\"limit\" must be a whole number from 1 to 1000.", await refused.DetailAsync(400));
        }
        using var nowhere = await GetAsync("/conversations?before=nonsense");
        await nowhere.DetailAsync(400);
    }

    /// <summary>Follows the links, two items at a time, and sees every item once.</summary>
    private async Task PagesAsync(string path, int count, Func<JsonElement, JsonElement> items)
    {
        var seen = new List<string>();
        string? next = path + (path.Contains('?', StringComparison.Ordinal) ? '&' : '?') + "limit=2";
        while (next is not null)
        {
            using var response = await GetAsync(next);
            var page = items(await response.JsonAsync());
            Assert.InRange(page.GetArrayLength(), 1, 2);
            seen.AddRange(page.EnumerateArray().Select(item => item.Text("id")));
            string? link = response.Headers.TryGetValues("Link", out var links) ? links.Single() : null;
            Assert.Equal(link is not null, response.Headers.Contains("X-Next-Before"));
            next = link is null ? null : link[1..link.IndexOf('>', StringComparison.Ordinal)];
            Assert.True(seen.Count <= count, $"{path} does not end.");
        }
        Assert.Equal(count, seen.Distinct().Count());
        Assert.Equal(count, seen.Count);
    }

    [Fact]
    public async Task Models_and_users()
    {
        var models = (await _ada.GetJsonAsync("/models/")).EnumerateArray().ToArray();
        Assert.Equal([(0, "scripted", true), (1, "second", false)],
            models.Select(m => (m.GetProperty("id").GetInt32(), m.Text("name"), m.GetProperty("default").GetBoolean())));
        using var admin = await _server.ClientAsync("root", admin: true);
        using var made = await admin.SendAsync("POST", "/users", new { name = "zoe" });
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        string id = (await made.JsonAsync()).Text("id");
        Assert.Equal("zoe", (await admin.GetJsonAsync($"/users/{id}")).Text("name"));
        using var twice = await admin.SendAsync("POST", "/users", new { name = "zoe" });
        Assert.Equal("A user of this name exists already.", await twice.DetailAsync(409));
        using var nobody = await admin.SendAsync("GET", "/users/none");
        Assert.Equal("User not found.", await nobody.DetailAsync(404));
    }

    [Theory]
    [InlineData("{", 400)]
    [InlineData("{}", 400)]
    [InlineData("[1]", 400)]
    [InlineData("{\"message\":\"Hi\",\"conversation_id\":\"nothing\"}", 404)]
    public async Task A_request_to_chat_that_is_wrong_counts_once_as_any_other(string body, int status)
    {
        int[] left = new int[2];
        for (int i = 0; i < 2; i++)
        {
            using var content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
            using var refused = await _ada.PostAsync(new Uri("/chat", UriKind.Relative), content);
            Assert.Equal(status, (int)refused.StatusCode);
            left[i] = int.Parse(refused.Headers.GetValues("RateLimit-Remaining").Single(), System.Globalization.CultureInfo.InvariantCulture);
        }
        Assert.Equal(left[0] - 1, left[1]);
    }

    [Fact]
    public async Task Errors_without_a_handler_are_problems_too()
    {
        using var nowhere = await GetAsync("/nowhere");
        Assert.Equal("Resource not found", await nowhere.DetailAsync(404));
        using var method = await _ada.SendAsync("PUT", "/conversations");
        await method.DetailAsync(405);
        using var anonymous = await _server.Http.GetAsync(new Uri("/conversations", UriKind.Relative));
        await anonymous.DetailAsync(401);
        Assert.Equal("Bearer realm=\"fastchat\"", anonymous.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task A_failure_of_the_model_is_told_and_one_of_ours_says_nothing_of_itself()
    {
        _server.Model.Reply = null;
        var asking = _ada.SendAsync("POST", "/chat", new { message = "Hi" });
        (await _server.Model.NextAsync()).Fail(new FastChat.Chat.ModelException(FastChat.Chat.ModelFailure.TimedOut, "The model took too long."));
        using var timedOut = await asking;
        Assert.Equal("The model took too long.", await timedOut.DetailAsync(504));
        asking = _ada.SendAsync("POST", "/chat", new { message = "Hi" });
        (await _server.Model.NextAsync()).Fail(new InvalidOperationException("secret detail"));
        using var failed = await asking;
        Assert.DoesNotContain("secret", await failed.DetailAsync((int)failed.StatusCode), StringComparison.Ordinal);
        Assert.InRange((int)failed.StatusCode, 500, 502);
    }

    [Fact]
    public async Task The_document_of_the_api_has_every_route_and_its_names()
    {
        var api = await _server.Http.GetJsonAsync("/openapi/v1.json");
        var paths = api.GetProperty("paths");
        string[] routes = [.. paths.EnumerateObject().SelectMany(p => p.Value.EnumerateObject().Select(m => $"{m.Name.ToUpperInvariant()} {p.Name}")).Order()];
        Assert.Equal(
        [
            "DELETE /chatbot/session/{id}", "DELETE /chatbots/{id}", "DELETE /chatbots/{id}/documents/{documentId}", "DELETE /conversations/{id}",
            "GET /all_chat", "GET /chatbots", "GET /chatbots/{id}", "GET /chatbots/{id}/documents", "GET /conversations", "GET /conversations/search",
            "GET /conversations/{id}", "GET /conversations/{id}/export", "GET /health/live", "GET /health/ready", "GET /models", "GET /users/{id}",
            "PATCH /chatbots/{id}", "PATCH /conversations/{id}", "POST /auth/dev-token", "POST /chat", "POST /chatbot/{id}/session", "POST /chatbots",
            "POST /chatbots/{id}/documents", "POST /users",
        ], routes.Order(StringComparer.Ordinal));
        var schema = api.GetProperty("components").GetProperty("schemas").GetProperty("ConversationBody").GetProperty("properties");
        Assert.Contains("user_id", schema.Names());
        var list = paths.GetProperty("/conversations").GetProperty("get");
        Assert.Contains("before", list.GetProperty("parameters").EnumerateArray().Select(p => p.Text("name")));
        Assert.True(list.TryGetProperty("security", out _));
        Assert.False(paths.GetProperty("/health/live").GetProperty("get").TryGetProperty("security", out _));
    }
}
