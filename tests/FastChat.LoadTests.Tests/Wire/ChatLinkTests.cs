using System.Text.Json;
using FastChat.Connections;
using FastChat.LoadTests.Load;
using FastChat.LoadTests.Wire;
using FastChat.Protocol;

namespace FastChat.LoadTests.Tests.Wire;

/// <summary>A tab against servers that do it wrong, over real sockets.</summary>
public sealed class ChatLinkTests : IAsyncLifetime
{
    private const string Closes = "close";
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);
    private static readonly Question Question = Question.Repeat("q", 4);

    private readonly WebSocketServer _server = new(0);
    private readonly WebSocketClient _client = new();
    private readonly Measurements _measurements = new(["answer"]);

    /// <summary>What the server sends for an answer: chunks by their numbers, with text of theirs or another one.</summary>
    private string[] _script = [];

    public async ValueTask InitializeAsync()
    {
        _server.Map("/ws", ServeAsync);
        await _server.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_server_that_does_it_right_has_no_fault()
    {
        _script = ["1:q.1 ", "2:q.2 ", "4:q.3 q.4"];
        await AskAsync();
        Assert.Equal((4L, 3L, 1L), (_measurements.Chunks, _measurements.ChunkMessages, _measurements["answer"].Count));
        Assert.Equal((0L, 0L), (_measurements.Errors, _measurements.Lost));
    }

    [Theory]
    [InlineData("1 lost, 0 doubled, 0 reordered, 0 wrong", "1:q.1 ", "3:q.3 ", "4:q.4")]
    [InlineData("0 lost, 1 doubled, 0 reordered, 0 wrong", "1:q.1 ", "2:q.2 ", "2:q.2 ", "3:q.3 ", "4:q.4")]
    [InlineData("0 lost, 0 doubled, 1 reordered, 0 wrong", "1:q.1 ", "3:q.3 ", "2:q.2 ", "4:q.4")]
    [InlineData("1 lost, 0 doubled, 0 reordered, 1 wrong", "1:q.1 ", "2:r.2 ", "3:q.3 ", "4:q.4")] // somebody else's
    [InlineData("4 lost, 0 doubled, 0 reordered, 0 wrong")]
    public async Task A_server_that_does_it_wrong_is_found_out(string faults, params string[] script)
    {
        _script = script;
        var failure = await Assert.ThrowsAsync<LoadException>(AskAsync);
        Assert.Contains(faults, failure.Message, StringComparison.Ordinal);
        Assert.Equal(faults, new Faults((int)_measurements.Lost, (int)_measurements.Doubled, (int)_measurements.Reordered, (int)_measurements.Wrong).ToString());
    }

    [Fact]
    public async Task A_socket_that_is_closed_in_mid_answer_says_why()
    {
        _script = ["1:q.1 ", Closes];
        Assert.Equal("The socket was closed: ClosedByPeer, 1008 Too slow.", (await Assert.ThrowsAsync<LoadException>(AskAsync)).Message);
    }

    [Fact]
    public async Task What_is_no_message_of_the_protocol_is_an_error()
    {
        _script = ["raw:[1]", "1:q.1 ", "2:q.2 ", "4:q.3 q.4"];
        await AskAsync();
        Assert.Equal((1L, true), (_measurements.Errors, _measurements.ErrorKinds.Single().Key.StartsWith("A message cannot be read", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_refusal_fails_what_was_asked()
    {
        _script = ["raw:{\"type\":\"error\",\"message\":\"Please wait.\",\"code\":\"busy\",\"client_message_id\":\"q\"}"];
        Assert.Equal("The server said: busy: Please wait.", (await Assert.ThrowsAsync<LoadException>(AskAsync)).Message);
    }

    [Fact]
    public async Task Nothing_is_taken_after_a_cut_and_asking_says_so()
    {
        _script = ["1:q.1 ", "2:q.2 ", "4:q.3 q.4"];
        var link = await ConnectAsync();
        Assert.Equal(1, _measurements.Sockets);
        await link.CutAsync().WaitAsync(Bound);
        var track = Track();
        await link.AskAsync(track);
        Assert.Contains("Aborted", (await Assert.ThrowsAsync<LoadException>(() => track.Completion.WaitAsync(Bound))).Message, StringComparison.Ordinal);
        Assert.Equal((0L, 0), (_measurements.Chunks, _measurements.Sockets));
    }

    private async Task AskAsync()
    {
        await using var link = await ConnectAsync();
        var track = Track();
        await link.AskAsync(track);
        await track.Completion.WaitAsync(Bound);
    }

    private AnswerTrack Track() => new(Question, new Timing(_measurements, TimeProvider.System, TimeProvider.System.GetTimestamp()) { Answer = _measurements["answer"] });

    private Task<ChatLink> ConnectAsync() => ChatLink.ConnectAsync(_client, new Uri($"ws://127.0.0.1:{_server.Port}/ws"), _measurements, TimeProvider.System, Bound);

    private async Task ServeAsync(WebSocketConnection connection)
    {
        await connection.SendTextAsync("""{"type":"session_info","session_id":"s"}""");
        while (await connection.ReadMessageAsync() is { } message)
        {
            using var asked = JsonDocument.Parse(message.GetText());
            await connection.SendTextAsync($$"""{"type":"message_received","response_id":"a","client_message_id":"{{asked.RootElement.GetProperty("client_message_id")}}"}""");
            foreach (string step in _script)
            {
                if (step == Closes)
                {
                    await connection.CloseAsync(CloseCode.PolicyViolation, "Too slow");
                    return;
                }
                string[] parts = step.Split(':', 2);
                await connection.SendTextAsync(parts[0] == "raw" ? parts[1] : $$"""{"type":"response_chunk","chunk":"{{parts[1]}}","message_id":"a","seq":{{parts[0]}}}""");
            }
            await connection.SendTextAsync("""{"type":"response_complete","message_id":"a","full_response":"q.1 q.2 q.3 q.4","finish_reason":"stop"}""");
        }
    }
}
