using System.Net.Http.Headers;
using System.Text.Json;

namespace FastChat.Server.Tests.Hosting;

/// <summary>The program from outside: how it starts, stops, fails, and what it loses when it is killed.</summary>
public sealed class ProcessTests : IAsyncLifetime
{
    private const int Kills = 4, Users = 4;
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("fastchat-process-");

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync()
    {
        _directory.Delete(recursive: true);
        return default;
    }

    private async Task<string> TokenAsync(string name)
    {
        var (exitCode, token, errors) = await ServerProcess.RunAsync(_directory, "token", name);
        Assert.True(exitCode == 0, errors);
        return token.Trim();
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("HUP")]
    public async Task It_starts_on_a_free_port_answers_and_ends_with_0_on_a_signal(string signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such signals.");
        using var server = await ServerProcess.StartAsync(_directory, "--port", "0");
        using var http = new HttpClient { BaseAddress = server.Address, Timeout = TestServer.Patience };
        Assert.Equal("ready", (await http.GetJsonAsync("/health/ready")).Text("status"));
        string token = await TokenAsync("ada");
        using var socket = await TestSocket.ConnectAsync(server.Address, $"/ws/?token={token}", []);
        await socket.SendAsync("A text that no log may hold");
        Assert.NotEmpty(await socket.TextAsync());
        using (var listed = await http.GetAsync(new Uri($"/conversations?token={token}", UriKind.Relative)))
            listed.EnsureSuccessStatusCode();
        var ending = server.SignalAsync(signal);
        Assert.Equal(1001, (await socket.ClosedAsync()).Code);
        if (signal == "HUP") await server.SendAsync(signal); // by the shell and by the kernel
        await socket.CloseAsync();
        Assert.Equal(0, await ending);

        // First start: its own key, for its owner alone. And nothing secret in the log.
        string key = Path.Combine(_directory.FullName, "data", "signing-keys.json");
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
        Assert.Contains("GET /conversations 200", server.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain(token, server.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("no log may hold", server.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Even_a_curious_operator_finds_no_token_in_the_log()
    {
        await File.WriteAllTextAsync(Path.Combine(_directory.FullName, "appsettings.json"), """
            {"Logging":{"LogLevel":{"Default":"Information","Microsoft":"Information","Microsoft.AspNetCore":"Information","Microsoft.AspNetCore.Hosting.Diagnostics":"Information"},
             "Console":{"FormatterName":"json"}}}
            """);
        using var server = await ServerProcess.StartAsync(_directory, "--port", "0");
        string token = await TokenAsync("ada");
        using var http = new HttpClient { BaseAddress = server.Address, Timeout = TestServer.Patience };
        using (var listed = await http.GetAsync(new Uri($"/conversations?token={token}", UriKind.Relative)))
            listed.EnsureSuccessStatusCode();
        await server.SignalAsync("TERM");
        Assert.DoesNotContain(token, server.Errors, StringComparison.Ordinal);
        // Each line is an object.
        Assert.Contains(server.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            line => line.Trim() is { Length: > 0 } text && JsonDocument.Parse(text).RootElement.GetProperty("EventId").GetInt32() == 3201);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_a_sentence_and_1_and_a_mistake_2()
    {
        using var server = await ServerProcess.StartAsync(_directory, "--port", "0");
        var (exitCode, output, errors) = await ServerProcess.RunAsync(_directory, "--port", $"{server.Address.Port}");
        Assert.Equal((1, ""), (exitCode, output));
        Assert.Contains($"Cannot listen on 127.0.0.1:{server.Address.Port}: another program has this port.", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
        (exitCode, _, errors) = await ServerProcess.RunAsync(_directory, "--port", "banana");
        Assert.Equal((2, "Port is not a whole number."), (exitCode, errors.Trim()));
    }

    [Fact]
    public async Task Killed_in_mid_traffic_again_and_again_it_has_every_acknowledged_message_once()
    {
        var settings = new Dictionary<string, object> { ["RateLimits"] = new { PerMinute = 1_000_000, PerHour = 1_000_000 } };
        await File.WriteAllTextAsync(Path.Combine(_directory.FullName, "appsettings.json"), JsonSerializer.Serialize(settings));
        var acknowledged = new List<(string Id, string ClientId, string Text)>();
        string[] tokens = [];
        var random = new Random(20240115);
        for (int round = 0; round < Kills; round++)
        {
            using var server = await ServerProcess.StartAsync(_directory, "--port", "0");
            if (round > 0)
                await CheckAsync(server, tokens, acknowledged);
            else
                tokens = await Task.WhenAll(Enumerable.Range(0, Users).Select(i => DevTokenAsync(server, $"user{i}")));
            int before = acknowledged.Count, goal = before + random.Next(20, 120);
            var ends = await Task.WhenAll(tokens.Select((token, i) => SendUntilKilledAsync(server, token, $"user{i}.{round}", acknowledged, goal)))
                .WaitAsync(TestServer.Patience);
            Assert.True(acknowledged.Count >= goal, string.Join('\n', ends.Select(e => e.Message).Append(server.Errors)));
        }
        using var last = await ServerProcess.StartAsync(_directory, "--port", "0");
        await CheckAsync(last, tokens, acknowledged);
    }

    /// <summary>A session's socket that sends without waiting for answers; the one whose acknowledgement reaches the goal kills the server.</summary>
    private static async Task<Exception> SendUntilKilledAsync(
        ServerProcess server, string token, string sender, List<(string, string, string)> acknowledged, int goal)
    {
        try
        {
            using var http = Client(server, token);
            using var opened = await http.SendAsync("POST", "/chatbot/assistant/session");
            var session = await opened.JsonAsync();
            using var socket = await TestSocket.ConnectAsync(server.Address, $"/ws/chat/{session.Text("session_id")}?token={token}", []);
            for (int i = 0; ; i++)
            {
                string clientId = $"{sender}.{i}", text = $"{clientId} {new string('x', i * 37 % 900)}";
                await socket.SendAsync(new { message = text, client_message_id = clientId });
                JsonElement message;
                do
                    message = await socket.NextAsync();
                while (message.Text("type") is not ("message_received" or "error"));
                if (message.Text("type") == "error")
                    continue; // busy: not acknowledged
                lock (acknowledged)
                {
                    acknowledged.Add((message.Text("message_id"), message.Text("client_message_id"), text));
                    if (acknowledged.Count >= goal)
                        server.Kill();
                }
            }
        }
        catch (Exception e) when (e is System.Net.WebSockets.WebSocketException or HttpRequestException or InvalidOperationException or IOException)
        {
            // Killed, perhaps before this one had even begun.
            return e;
        }
    }

    private static async Task CheckAsync(ServerProcess server, string[] tokens, List<(string Id, string ClientId, string Text)> acknowledged)
    {
        var stored = new Dictionary<string, (string ClientId, string Text)>();
        foreach (string token in tokens)
        {
            using var http = Client(server, token);
            foreach (var conversation in (await http.GetJsonAsync("/conversations?messages=false")).EnumerateArray())
            {
                foreach (var message in await MessagesAsync(http, conversation.Text("id")))
                {
                    if (message.Text("role") == "user")
                        stored.Add(message.Text("id"), (message.Text("client_message_id"), message.Text("content")));
                }
            }
        }
        Assert.Equal(stored.Count, stored.Values.Select(m => m.ClientId).Distinct().Count());
        foreach (var (id, clientId, text) in acknowledged)
            Assert.True(stored.TryGetValue(id, out var message) && message == (clientId, text), $"Message {clientId} was acknowledged and is gone.");
    }

    private static async Task<List<JsonElement>> MessagesAsync(HttpClient http, string conversation)
    {
        var messages = new List<JsonElement>();
        string? before = null;
        do
        {
            using var response = await http.GetAsync(new Uri($"/conversations/{conversation}?limit=1000&before={before}", UriKind.Relative));
            messages.AddRange((await response.JsonAsync()).GetProperty("messages").EnumerateArray());
            before = response.Headers.TryGetValues("X-Next-Before", out var next) ? next.Single() : null;
        }
        while (before is not null);
        return messages;
    }

    /// <summary>A token that is good for all starts of the server.</summary>
    private static async Task<string> DevTokenAsync(ServerProcess server, string name)
    {
        using var http = new HttpClient { BaseAddress = server.Address, Timeout = TestServer.Patience };
        using var issued = await http.SendAsync("POST", "/auth/dev-token", new { name });
        return (await issued.JsonAsync()).Text("token");
    }

    private static HttpClient Client(ServerProcess server, string token) => new()
    {
        BaseAddress = server.Address,
        Timeout = TestServer.Patience,
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) },
    };
}
