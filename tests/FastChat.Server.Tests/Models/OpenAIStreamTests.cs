using System.Text;
using FastChat.Chat;
using Microsoft.Extensions.AI;

namespace FastChat.Server.Tests.Models;

/// <summary>What an answer on the wire becomes.</summary>
public sealed class OpenAIStreamTests
{
    [Fact]
    public async Task An_answer_arrives_piece_by_piece_with_reason_and_usage()
    {
        await using var upstream = await FakeUpstream.StartAsync();
        using var catalog = ModelHarness.Catalog(upstream.Then(x => x.AnswerAsync("Hel", "lo", "!")));
        var answer = await catalog.Client().Ask("hi").CollectAsync();
        answer.Succeeded();
        Assert.Equal(["Hel", "lo", "!"], answer.Pieces);
        Assert.Equal(ChatFinishReason.Stop, answer.FinishReason);
        Assert.Equal((7, 3, 10), (answer.Usage!.InputTokenCount, answer.Usage.OutputTokenCount, answer.Usage.TotalTokenCount));
    }

    [Fact]
    public async Task The_first_piece_is_there_before_the_second_is_sent()
    {
        await using var upstream = await FakeUpstream.StartAsync();
        var seen = new TaskCompletionSource();
        upstream.Then(async x =>
        {
            await x.TextAsync("one");
            await seen.Task.WaitAsync(FakeUpstream.Bound);
            await x.TextAsync("two");
            await x.FinishAsync();
        });
        using var catalog = ModelHarness.Catalog(upstream);
        await using var updates = catalog.Client().Ask("hi").GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await updates.MoveNextAsync().AsTask().WaitAsync(FakeUpstream.Bound));
        Assert.Equal("one", updates.Current.Text);
        seen.SetResult();
        Assert.True(await updates.MoveNextAsync().AsTask().WaitAsync(FakeUpstream.Bound));
        Assert.Equal("two", updates.Current.Text);
    }

    [Fact]
    public async Task The_request_carries_key_model_roles_and_settings()
    {
        await using var upstream = await FakeUpstream.StartAsync();
        using var catalog = ModelHarness.Catalog(upstream.Then(x => x.AnswerAsync("ok")), more: ("Temperature", "0.25"));
        ChatMessage[] messages =
        [
            new(ChatRole.System, "Be brief."),
            new(ChatRole.User, "Grüße 🌍"),
            new(ChatRole.Assistant, "Hallo"),
            ModelContext.CreatePassages([new ModelPassage("handbook.md", "Tea is at four.")]),
            new(ChatRole.User, "When is tea?"),
        ];
        var options = new ChatOptions { MaxOutputTokens = 50, TopP = 0.5f, StopSequences = ["END"], ModelId = "not-this" };
        (await catalog.Client().GetStreamingResponseAsync(messages, options, TestContext.Current.CancellationToken).CollectAsync()).Succeeded();

        var request = await upstream.RequestAsync();
        Assert.Equal("/v1/chat/completions", request.Path);
        Assert.Equal($"Bearer {ModelHarness.Key}", request.Authorization);
        var body = request.Body;
        Assert.Equal("m-1", body.GetProperty("model").GetString());
        Assert.True(body.GetProperty("stream").GetBoolean());
        Assert.True(body.GetProperty("stream_options").GetProperty("include_usage").GetBoolean());
        Assert.Equal(0.25, body.GetProperty("temperature").GetDouble());
        Assert.Equal(0.5, body.GetProperty("top_p").GetDouble());
        Assert.Equal(50, body.GetProperty("max_tokens").GetInt32());
        Assert.Equal("END", body.GetProperty("stop")[0].GetString());
        var sent = body.GetProperty("messages").EnumerateArray().Select(m => (m.GetProperty("role").GetString(), m.GetProperty("content").GetString())).ToList();
        Assert.Equal(["system", "user", "assistant", "user"], sent.Select(m => m.Item1));
        Assert.StartsWith("Be brief.\n\n", sent[0].Item2, StringComparison.Ordinal);
        Assert.Contains("[Source: handbook.md]\nTea is at four.", sent[0].Item2, StringComparison.Ordinal);
        Assert.Equal("Grüße 🌍", sent[1].Item2);
        Assert.Equal("When is tea?", sent[3].Item2);
    }

    [Fact]
    public async Task Text_beyond_ascii_survives_a_cut_inside_a_character()
    {
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Then(async x =>
        {
            byte[] bytes = Encoding.UTF8.GetBytes("data: {\"choices\":[{\"delta\":{\"content\":\"日本語🌍é\"}}]}\n\n");
            for (int at = 0; at < bytes.Length; at += 3) await x.BytesAsync(bytes.AsMemory(at, Math.Min(3, bytes.Length - at)));
            await x.FinishAsync();
        });
        using var catalog = ModelHarness.Catalog(upstream);
        Assert.Equal("日本語🌍é", (await catalog.Client().Ask("hi").CollectAsync()).Text);
    }

    [Fact]
    public async Task A_delta_of_a_mebibyte_arrives_whole()
    {
        string huge = string.Concat(Enumerable.Repeat("0123456789abcdef", 65536));
        await using var upstream = await FakeUpstream.StartAsync();
        using var catalog = ModelHarness.Catalog(upstream.Then(x => x.AnswerAsync(huge)));
        Assert.Equal(huge, (await catalog.Client().Ask("hi").CollectAsync()).Text);
    }

    [Fact]
    public async Task Comments_carriage_returns_and_lines_of_other_kinds_are_no_text()
    {
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Then(async x =>
        {
            await x.RawAsync(": waiting\r\n\r\nid: 4\r\nretry: 10\r\ndata:{\"choices\":[{\"delta\":\r\ndata:{\"content\":\"a\"}}]}\r\n\r\n");
            await x.RawAsync("data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\ndata: {}\n\ndata: null\n\n");
            await x.ChunkAsync(new { refusal = "No." }, "");
            await x.FinishAsync("content_filter");
            await x.DoneAsync();
        });
        using var catalog = ModelHarness.Catalog(upstream);
        var answer = await catalog.Client().Ask("hi").CollectAsync();
        answer.Succeeded();
        Assert.Equal(["a", "No."], answer.Pieces);
        Assert.Equal(ChatFinishReason.ContentFilter, answer.FinishReason);
    }

    [Theory]
    [InlineData("length", "length")]
    [InlineData("eos_token", "eos_token")]
    public async Task A_finish_reason_goes_through_even_if_nobody_knows_it(string wire, string expected)
    {
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Then(async x => { await x.TextAsync("a"); await x.ChunkAsync(new { content = "b" }, wire); });
        using var catalog = ModelHarness.Catalog(upstream);
        var answer = await catalog.Client().Ask("hi").CollectAsync();
        Assert.Equal(("ab", expected), (answer.Text, answer.FinishReason?.Value));
    }

    [Fact]
    public async Task A_stream_that_ends_without_a_reason_is_truncated()
    {
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Then(x => x.TextAsync("half an ans"));
        upstream.Then(async x => { await x.TextAsync("half an ans"); await x.DoneAsync(); });
        using var catalog = ModelHarness.Catalog(upstream);
        for (int i = 0; i < 2; i++)
        {
            var answer = await catalog.Client().Ask("hi").CollectAsync();
            answer.Succeeded();
            Assert.Equal(("half an ans", ModelContext.Truncated), (answer.Text, answer.FinishReason));
        }
    }

    [Fact]
    public async Task A_connection_lost_in_mid_answer_is_truncated_and_keeps_the_part()
    {
        await using var upstream = await FakeUpstream.StartAsync();
        var seen = new TaskCompletionSource();
        upstream.Then(async x =>
        {
            await x.TextAsync("half an ans");
            await seen.Task.WaitAsync(FakeUpstream.Bound);
            x.Reset();
        });
        using var catalog = ModelHarness.Catalog(upstream);
        var answer = await Watched(catalog.Client().Ask("hi"), seen).CollectAsync();
        answer.Succeeded();
        Assert.Equal(("half an ans", ModelContext.Truncated), (answer.Text, answer.FinishReason));
        await upstream.RequestAsync();
        Assert.Equal(0, upstream.Waiting); // an answer is not asked for twice
    }

    [Theory]
    [InlineData("data: {\"error\":{\"message\":\"GPU fell over\",\"type\":\"server_error\"}}\n\n")]
    [InlineData("event: error\ndata: {\"error\":\"GPU fell over\"}\n\n")]
    public async Task An_error_in_mid_stream_comes_after_the_part_received(string wire)
    {
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Then(async x => { await x.TextAsync("part"); await x.RawAsync(wire); await x.FinishAsync(); });
        using var catalog = ModelHarness.Catalog(upstream);
        var answer = await catalog.Client().Ask("hi").CollectAsync();
        Assert.Equal("part", answer.Text);
        var failure = answer.Failed(ModelFailure.Unavailable);
        Assert.DoesNotContain("GPU", failure.Message, StringComparison.Ordinal);
        Assert.Contains("GPU fell over", failure.InnerException!.Message, StringComparison.Ordinal);
        await upstream.RequestAsync();
        Assert.Equal(0, upstream.Waiting);
    }

    [Theory]
    [InlineData("data: {nope\n\n")]
    [InlineData("data: {\"choices\":7}\n\n")]
    [InlineData("data: [1,2]\n\n")]
    public async Task What_is_no_chunk_is_malformed(string wire)
    {
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Then(async x => { await x.TextAsync("part"); await x.RawAsync(wire); await x.FinishAsync(); });
        using var catalog = ModelHarness.Catalog(upstream);
        var answer = await catalog.Client().Ask("hi").CollectAsync();
        Assert.Equal("part", answer.Text);
        answer.Failed(ModelFailure.Malformed);
    }

    [Theory]
    [InlineData("<html>a proxy's page</html>", "text/html")]
    [InlineData("{\"choices\":[]}", "application/json")]
    [InlineData("\n", "text/event-stream")]
    public async Task A_page_instead_of_a_stream_is_malformed(string body, string type)
    {
        await using var upstream = await FakeUpstream.StartAsync();
        using var catalog = ModelHarness.Catalog(upstream.Then(x => x.RawAsync(body, type)));
        (await catalog.Client().Ask("hi").CollectAsync()).Failed(ModelFailure.Malformed);
    }

    [Fact]
    public async Task Models_at_one_endpoint_share_its_connections()
    {
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Then(x => x.AnswerAsync("a")).Then(x => x.AnswerAsync("b"));
        using var catalog = ModelHarness.Catalog(upstream, null, "openai",
            ("1:Provider", "openai"), ("1:Model", "m-2"), ("1:Endpoint", upstream.Endpoint.ToString()));
        (await catalog.Client().Ask("hi").CollectAsync()).Succeeded();
        (await catalog.Client("m-2").Ask("hi").CollectAsync()).Succeeded();
        Assert.Equal((await upstream.RequestAsync()).Connection, (await upstream.RequestAsync()).Connection);
    }

    [Fact]
    public async Task A_response_in_one_piece_is_the_stream_put_together()
    {
        await using var upstream = await FakeUpstream.StartAsync();
        using var catalog = ModelHarness.Catalog(upstream.Then(x => x.AnswerAsync("Hel", "lo")));
        var response = await catalog.Client().GetResponseAsync([new ChatMessage(ChatRole.User, "hi")], null, TestContext.Current.CancellationToken)
            .WaitAsync(FakeUpstream.Bound, TestContext.Current.CancellationToken);
        Assert.Equal(("Hello", ChatFinishReason.Stop, 9), (response.Text, response.FinishReason, response.Usage?.TotalTokenCount));
    }

    private static async IAsyncEnumerable<ChatResponseUpdate> Watched(IAsyncEnumerable<ChatResponseUpdate> updates, TaskCompletionSource seen)
    {
        await foreach (var update in updates)
        {
            seen.TrySetResult();
            yield return update;
        }
    }
}
