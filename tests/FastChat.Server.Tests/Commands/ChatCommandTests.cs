using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace FastChat.Server.Tests.Commands;

public sealed class ChatCommandTests : IAsyncLifetime
{
    private const string Ack = """{"type":"message_received","message_id":"q","client_message_id":"$ID","response_id":"a"}""";
    private readonly CommandRunner _cli = new();
    private ScriptedServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await ScriptedServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _cli.Dispose();
    }

    private Task<(int Code, string[] Out, string[] Error)> ChatAsync(string input, params string[] more)
    {
        _cli.In = new StringReader(input);
        return _cli.RunAsync(["chat", "--url", _server.Url, "--token", "t.o.k", .. more]);
    }

    private static string Chunk(string text, string id = "a") => JsonSerializer.Serialize(new { type = "response_chunk", chunk = text, message_id = id });

    private static string Complete(string text, string reason = "stop", string id = "a") =>
        JsonSerializer.Serialize(new { type = "response_complete", message_id = id, full_response = text, finish_reason = reason });

    [Fact]
    public async Task A_script_gets_the_answers_alone_in_order()
    {
        int asked = 0;
        _server.Script = _ => [Ack, """{"type":"response_start","message":"..."}""", Chunk($"Answer {++asked},\n"), Chunk("whole."), Complete("x")];
        var (code, output, error) = await ChatAsync("one\n\ntwo\n/quit\nthree\n");
        Assert.Equal((0, 0), (code, error.Length));
        Assert.Equal(["Answer 1,", "whole.", "Answer 2,", "whole."], output);
        Assert.Equal("Bearer t.o.k", _server.SocketAuthorization);
        var first = await _server.Received.Reader.ReadAsync().AsTask().WaitAsync(CommandRunner.Bound);
        Assert.Equal(("one", "text"), (first.GetProperty("message").GetString(), first.GetProperty("message_type").GetString()));
    }

    [Fact]
    public async Task A_server_with_nothing_beyond_the_seed_will_do()
    {
        _server.Script = _ =>
        [
            """{"type":"message_received","message_id":"q","timestamp":"2024-01-15T10:30:00Z"}""",
            """{"type":"response_start","message":"Assistant is thinking..."}""", """{"type":"response_chunk","chunk":"Hello"}""",
            """{"type":"response_complete","message_id":"a","timestamp":"2024-01-15T10:30:05Z","full_response":"Hello"}""",
        ];
        Assert.Equal(["Hello"], (await ChatAsync("hi\n")).Out);
    }

    [Fact]
    public async Task Answers_to_other_windows_are_passed_over()
    {
        _server.Script = _ =>
        [
            Chunk("theirs", "z"), Complete("theirs", id: "z"), """{"type":"error","message":"theirs","message_id":"z"}""",
            """{"type":"message_received","message_id":"y","client_message_id":"other","response_id":"x"}""",
            Ack, Chunk("theirs", "x"), Chunk("ours"), Complete("theirs", id: "x"), Complete("ours"),
        ];
        var (code, output, _) = await ChatAsync("hi\n");
        Assert.Equal(0, code);
        Assert.Equal(["ours"], output);
    }

    [Fact]
    public async Task An_answer_that_was_not_streamed_is_shown_whole() =>
        Assert.Equal(["whole"], await OutputAsync([Ack, Complete("whole")]));

    [Fact]
    public async Task Control_characters_do_not_reach_the_terminal() =>
        Assert.Equal(["a[2Jb\tc]0;titled"], await OutputAsync([Ack, Chunk("a\u001b[2Jb\tc\u009b]0;title\u0007d"), Complete("")]));

    [Fact]
    public async Task Markup_is_shown_as_it_is() =>
        Assert.Equal(["[red]not red[/] [[x]]"], await OutputAsync([Ack, Chunk("[red]not red[/] [[x]]"), Complete("")]));

    private async Task<string[]> OutputAsync(string[] frames)
    {
        _server.Script = _ => frames;
        return (await ChatAsync("hi\n")).Out;
    }

    [Fact]
    public async Task Errors_go_to_standard_error_and_into_the_exit_code()
    {
        int asked = 0;
        _server.Script = _ => ++asked == 1
            ? ["""{"type":"error","message":"Too many requests","retry_after":3,"client_message_id":"$ID"}"""]
            : [Ack, Chunk("part"), """{"type":"error","message":"The model failed.","message_id":"a"}""", Complete("part", "error")];
        var (code, output, error) = await ChatAsync("one\ntwo\n");
        Assert.Equal(1, code);
        Assert.Equal(["part"], output);
        Assert.Equal(["Too many requests", "The model failed."], error);
    }

    [Fact]
    public async Task A_connection_that_the_server_closes_is_told()
    {
        _server.Script = _ => [Ack, "close"];
        var (code, _, error) = await ChatAsync("hi\n");
        Assert.Equal(1, code);
        Assert.Equal("The server closed the connection: session replaced", error[^1]);
    }

    [Fact]
    public async Task A_refusal_is_told_in_the_servers_words()
    {
        _server.Session = _ => Results.Problem("The token has expired.", statusCode: 401);
        var (code, _, error) = await ChatAsync("hi\n");
        Assert.Equal((1, "The token has expired."), (code, Assert.Single(error)));
        _server.Session = _ => Results.Text("<html>", statusCode: 502);
        Assert.Equal("The server answered 502.", Assert.Single((await ChatAsync("hi\n")).Error));
        _server.Session = _ => Results.Text("<html>");
        Assert.EndsWith("is no FastChat server: its answer is not JSON.", Assert.Single((await ChatAsync("hi\n")).Error), StringComparison.Ordinal);
        _server.Session = _ => Results.Text("{}");
        Assert.Equal("The server gave no session_id.", Assert.Single((await ChatAsync("hi\n")).Error));
    }

    [Fact]
    public async Task Interrupting_an_answer_stops_it_and_only_it()
    {
        var input = new LinesAsTheyCome();
        _cli.In = input;
        _cli.Interactive = true;
        _cli.Environment["NO_COLOR"] = "1";
        _server.Script = message => message.TryGetProperty("type", out var type) && type.GetString() == "stop"
            ? [Complete("some", "cancelled")]
            : [Ack, Chunk("some")];
        var running = _cli.RunAsync("chat", "--url", _server.Url, "--token", "t.o.k");
        input.Write("go on for ever");
        var asked = await _server.Received.Reader.ReadAsync().AsTask().WaitAsync(CommandRunner.Bound);
        Assert.Equal("go on for ever", asked.GetProperty("message").GetString());
        await _cli.Out.WaitForAsync("some");
        Assert.True(_cli.Interrupts.Interrupt());
        var stop = await _server.Received.Reader.ReadAsync().AsTask().WaitAsync(CommandRunner.Bound);
        Assert.Equal("stop", stop.GetProperty("type").GetString());
        input.End();
        var (code, output, _) = await running;
        Assert.Equal(0, code);
        Assert.Contains(output, line => line.Contains("some", StringComparison.Ordinal) && line.EndsWith("[cancelled]", StringComparison.Ordinal));
        Assert.False(_cli.Interrupts.Token.IsCancellationRequested);
    }

    [Fact]
    public async Task A_person_sees_who_speaks_and_what_was_said_before()
    {
        _cli.Interactive = true;
        _cli.Environment["NO_COLOR"] = "1";
        _server.Session = _ => Results.Text(
            """
            {"session_id":"s 1","chatbot_name":"Robo",
             "previous_messages":[{"role":"user","message":"Hi","created_at":"x"},{"role":"assistant","message":"Hello","created_at":"x"}]}
            """);
        _server.Script = _ => [Ack, Chunk("Fine."), Complete("Fine.")];
        var (code, output, _) = await ChatAsync("How are you?\n");
        Assert.Equal(0, code);
        Assert.StartsWith("Robo at http://127.0.0.1:", output[0], StringComparison.Ordinal);
        Assert.Equal(["You Hi", "Robo Hello", "You › Robo › Fine.", "You › "], output[1..]);
    }

    [Fact]
    public async Task On_this_machine_a_token_is_made_and_elsewhere_one_is_needed()
    {
        _cli.Environment["USER"] = "ada";
        string? authorization = null;
        var session = _server.Session;
        _server.Session = context =>
        {
            authorization = context.Request.Headers.Authorization;
            return session(context);
        };
        _cli.In = new StringReader("");
        Assert.Equal(0, (await _cli.RunAsync("chat", "--url", _server.Url)).Code);
        Assert.StartsWith("Bearer eyJ", authorization, StringComparison.Ordinal);
        Assert.EndsWith("\tada", Assert.Single((await _cli.RunAsync("user", "list")).Out), StringComparison.Ordinal);

        _cli.Environment["FASTCHAT_TOKEN"] = "from.the.variable";
        Assert.Equal(0, (await _cli.RunAsync("chat", "--url", _server.Url)).Code);
        Assert.Equal("Bearer from.the.variable", authorization);

        _cli.Environment.Remove("FASTCHAT_TOKEN");
        var elsewhere = await _cli.RunAsync("chat", "--url", "http://chat.example");
        Assert.Equal(2, elsewhere.Code);
        Assert.Contains("--token", Assert.Single(elsewhere.Error), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_no_server_answers_the_command_says_how_to_start_one()
    {
        await _server.DisposeAsync();
        var (code, _, error) = await _cli.RunAsync("chat", "--url", "http://127.0.0.1:1", "--token", "t");
        Assert.Equal(1, code);
        Assert.Contains("fastchat serve", Assert.Single(error), StringComparison.Ordinal);
        Assert.Equal(2, (await _cli.RunAsync("chat", "--url", "ftp://127.0.0.1", "--token", "t")).Code);
    }

    /// <summary>A console whose lines come when a test writes them.</summary>
    private sealed class LinesAsTheyCome : TextReader
    {
        private readonly System.Collections.Concurrent.BlockingCollection<string> _lines = [];

        public void Write(string line) => _lines.Add(line);

        public void End() => _lines.CompleteAdding();

        public override string? ReadLine() => _lines.TryTake(out string? line, CommandRunner.Bound) ? line : null;
    }
}
