#if GOOGLE_GENAI
using System.Text.Json;
using System.Text.Json.Serialization;
using FastChat.Chat;
using FastChat.Server.Models;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastChat.Server.Tests.Models;

/// <summary>Gemini's own protocol through Google.GenAI, against the fake upstream.</summary>
public sealed class GeminiChatClientTests
{
    private static readonly JsonSerializerOptions NoNulls = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private static readonly ModelSettings Model = new()
    {
        Name = "test", Provider = ModelProvider.Gemini, Model = "gemini-2.5-flash", ApiKey = ModelHarness.Key, MaxRetries = 0,
    };

    [Fact]
    public async Task An_answer_streams_with_reason_and_usage()
    {
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Then(async x => { await x.RawAsync(Event("Hel", null)); await x.RawAsync(Event("lo", "STOP")); });
        using var client = Client(upstream);
        var answer = await client.Ask("hi").CollectAsync();
        answer.Succeeded();
        Assert.Equal(("Hello", ChatFinishReason.Stop, 5L), (answer.Text, answer.FinishReason, answer.Usage?.TotalTokenCount));
        Assert.Contains("gemini-2.5-flash:streamGenerateContent", (await upstream.RequestAsync()).Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_without_a_reason_is_truncated()
    {
        await using var upstream = await FakeUpstream.StartAsync();
        using var client = Client(upstream.Then(x => x.RawAsync(Event("part", null))));
        var answer = await client.Ask("hi").CollectAsync();
        Assert.Equal(("part", ModelContext.Truncated), (answer.Text, answer.FinishReason));
    }

    [Theory]
    [InlineData(400, ModelFailure.Rejected)]
    [InlineData(403, ModelFailure.Unauthorized)]
    public async Task A_refusal_is_sorted(int status, ModelFailure expected)
    {
        await using var upstream = await FakeUpstream.StartAsync();
        using var client = Client(upstream.Then(x => x.RefuseAsync(status, """{"error":{"code":400,"message":"no","status":"X"}}""")));
        (await client.Ask("hi").CollectAsync()).Failed(expected);
    }

    [Fact]
    public async Task Cancelling_reaches_the_upstream()
    {
        var gone = new TaskCompletionSource();
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Then(async x => { await x.RawAsync(Event("part", null)); await x.GoneAsync(); gone.SetResult(); });
        using var client = Client(upstream);
        using var stop = new CancellationTokenSource();
        await using var updates = client.Ask("hi", stop.Token).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await updates.MoveNextAsync().AsTask().WaitAsync(FakeUpstream.Bound));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => updates.MoveNextAsync().AsTask().WaitAsync(FakeUpstream.Bound));
        await gone.Task.WaitAsync(FakeUpstream.Bound, TestContext.Current.CancellationToken);
    }

    private static ResilientChatClient Client(FakeUpstream upstream) => new(
        new GeminiChatClient(Model, TimeProvider.System, upstream.Endpoint.GetLeftPart(UriPartial.Authority)), Model, TimeProvider.System, NullLogger.Instance);

    private static string Event(string text, string? reason) => "data: " + JsonSerializer.Serialize(new
    {
        candidates = new[] { new { content = new { role = "model", parts = new[] { new { text } } }, finishReason = reason } },
        usageMetadata = new { promptTokenCount = 2, candidatesTokenCount = 3, totalTokenCount = 5 },
    }, NoNulls) + "\r\n\r\n";
}
#endif
