using System.Globalization;
using System.Net;
using System.Net.Sockets;
using FastChat.Chat;
using FastChat.TestKit;
using Microsoft.Extensions.AI;

namespace FastChat.Server.Tests.Models;

/// <summary>Refusals, retries, waits and cancellation, seen from both ends of a real connection.</summary>
public sealed class OpenAIFailureTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("2")]
    [InlineData("Mon, 15 Jan 2024 10:30:02 GMT")]
    public async Task A_busy_upstream_is_asked_again_when_it_said(string retryAfter)
    {
        var timers = new ManualTimers();
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Then(x => x.RefuseAsync(429, """{"error":{"message":"slow down","code":"rate_limit"}}""", retryAfter)).Then(x => x.AnswerAsync("ok"));
        using var catalog = ModelHarness.Catalog(upstream, timers);
        var asking = catalog.Client().Ask("hi").CollectAsync();
        await timers.ArmedAsync(Patience);
        var pause = await timers.ArmedAsync(TimeSpan.FromSeconds(2));
        await upstream.RequestAsync();
        Assert.Equal(0, upstream.Waiting);
        pause.Fire();
        var answer = await asking;
        answer.Succeeded();
        Assert.Equal("ok", answer.Text);
        await upstream.RequestAsync();
    }

    [Fact]
    public async Task Retries_are_bounded_and_wait_longer_each_time()
    {
        var timers = new ManualTimers();
        await using var upstream = await FakeUpstream.StartAsync();
        for (int i = 0; i < 4; i++) upstream.Then(x => x.RefuseAsync(503, "down"));
        using var catalog = ModelHarness.Catalog(upstream, timers, more: ("MaxRetries", "3"));
        var asking = catalog.Client().Ask("hi").CollectAsync();
        await timers.ArmedAsync(Patience);
        for (int i = 0; i < 3; i++)
        {
            var pause = await timers.ArmedAsync();
            Assert.InRange(pause.Due.TotalSeconds, 0.25 * Math.Pow(2, i), 0.5 * Math.Pow(2, i));
            pause.Fire();
        }
        (await asking).Failed(ModelFailure.Unavailable);
        for (int i = 0; i < 4; i++) await upstream.RequestAsync();
        Assert.Equal(0, upstream.Waiting);
    }

    [Fact]
    public async Task An_upstream_that_asks_for_too_long_a_wait_is_reported_at_once()
    {
        await using var upstream = await FakeUpstream.StartAsync();
        using var catalog = ModelHarness.Catalog(upstream.Then(x => x.RefuseAsync(429, "{}", "3600")));
        var failure = (await catalog.Client().Ask("hi").CollectAsync()).Failed(ModelFailure.RateLimited);
        Assert.Equal(TimeSpan.FromHours(1), failure.RetryAfter);
        await upstream.RequestAsync();
        Assert.Equal(0, upstream.Waiting);
    }

    [Theory]
    [InlineData(400, """{"error":{"message":"context is 9000 tokens\u0007, key sk-test-0123456789"}}""", ModelFailure.Rejected, "context is 9000 tokens , key (key)")]
    [InlineData(400, """[{"error":{"code":400,"message":"API key not valid","status":"INVALID"}}]""", ModelFailure.Rejected, "API key not valid")]
    [InlineData(404, """{"error":"model 'm-1' not found"}""", ModelFailure.Rejected, "model 'm-1' not found")]
    [InlineData(401, """{"error":{"message":"Incorrect API key provided: sk-test-0123456789"}}""", ModelFailure.Unauthorized, "refused the API key")]
    [InlineData(403, "<html>", ModelFailure.Unauthorized, "refused the API key")]
    [InlineData(429, """{"error":{"message":"pay","code":"insufficient_quota"}}""", ModelFailure.Rejected, "quota is used up")]
    [InlineData(307, "", ModelFailure.Rejected, "refused the request.")]
    public async Task What_waiting_cannot_mend_is_reported_at_once(int status, string body, ModelFailure expected, string words)
    {
        await using var upstream = await FakeUpstream.StartAsync();
        using var catalog = ModelHarness.Catalog(upstream.Then(x => x.RefuseAsync(status, body)));
        var failure = (await catalog.Client().Ask("hi").CollectAsync()).Failed(expected);
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
        await upstream.RequestAsync();
        Assert.Equal(0, upstream.Waiting);
    }

    [Fact]
    public async Task A_long_refusal_is_shortened()
    {
        await using var upstream = await FakeUpstream.StartAsync();
        using var catalog = ModelHarness.Catalog(upstream.Then(x => x.RefuseAsync(400, $$$"""{"error":{"message":"{{{new string('x', 5000)}}}"}}""")));
        Assert.InRange((await catalog.Client().Ask("hi").CollectAsync()).Failed(ModelFailure.Rejected).Message.Length, 300, 400);
    }

    [Fact]
    public async Task Nobody_there_is_unavailable()
    {
        // A port that is taken and that nobody listens on: a free one might be somebody's by the time it is tried.
        using var taken = new Socket(SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var nobody = new Uri($"http://{taken.LocalEndPoint}/v1");
        using var catalog = ModelHarness.Catalog(nobody, more: ("MaxRetries", "0"));
        (await catalog.Client().Ask("hi").CollectAsync()).Failed(ModelFailure.Unavailable);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_slow_first_token_times_out_and_the_upstream_sees_the_end(bool headersFirst)
    {
        var timers = new ManualTimers();
        var gone = new TaskCompletionSource();
        var asked = new TaskCompletionSource();
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Then(async x =>
        {
            if (headersFirst) await x.HeadersAsync();
            asked.SetResult();
            await x.GoneAsync();
            gone.SetResult();
        });
        using var catalog = ModelHarness.Catalog(upstream, timers, more: ("FirstTokenTimeout", "00:00:07"));
        var asking = catalog.Client().Ask("hi").CollectAsync();
        var deadline = await timers.ArmedAsync(TimeSpan.FromSeconds(7));
        await asked.Task.WaitAsync(FakeUpstream.Bound, TestContext.Current.CancellationToken);
        deadline.Fire();
        var failure = (await asking).Failed(ModelFailure.TimedOut);
        Assert.Contains("did not begin to answer", failure.Message, StringComparison.Ordinal);
        await gone.Task.WaitAsync(FakeUpstream.Bound, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task The_wait_for_a_retry_counts_against_the_first_token()
    {
        var timers = new ManualTimers();
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Then(x => x.RefuseAsync(503, "", "5"));
        using var catalog = ModelHarness.Catalog(upstream, timers);
        var asking = catalog.Client().Ask("hi").CollectAsync();
        var deadline = await timers.ArmedAsync(Patience);
        await timers.ArmedAsync(TimeSpan.FromSeconds(5));
        deadline.Fire();
        (await asking).Failed(ModelFailure.TimedOut);
    }

    [Fact]
    public async Task Silence_in_mid_stream_times_out_after_the_part_received()
    {
        var timers = new ManualTimers();
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Then(async x => { await x.TextAsync("part"); await x.GoneAsync(); });
        using var catalog = ModelHarness.Catalog(upstream, timers, more: ("IdleTimeout", "00:00:09"));
        var asking = catalog.Client().Ask("hi").CollectAsync();
        await timers.ArmedAsync(Patience);
        (await timers.ArmedAsync(TimeSpan.FromSeconds(9))).Fire();
        var answer = await asking;
        Assert.Equal("part", answer.Text);
        answer.Failed(ModelFailure.TimedOut);
    }

    [Fact]
    public async Task A_slow_reader_is_not_a_silent_upstream()
    {
        var time = new FakeTimeProvider();
        await using var upstream = await FakeUpstream.StartAsync();
        var late = new TaskCompletionSource();
        upstream.Then(async x => { await x.TextAsync("one"); await late.Task.WaitAsync(FakeUpstream.Bound); await x.TextAsync("two"); });
        using var catalog = ModelHarness.Catalog(upstream, time);
        await using var updates = catalog.Client().Ask("hi").GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await updates.MoveNextAsync().AsTask().WaitAsync(FakeUpstream.Bound));
        time.Advance(TimeSpan.FromHours(1));
        late.SetResult();
        Assert.True(await updates.MoveNextAsync().AsTask().WaitAsync(FakeUpstream.Bound));
        Assert.Equal("two", updates.Current.Text);
    }

    [Fact]
    public async Task Cancelling_in_mid_stream_reaches_the_upstream()
    {
        var gone = new TaskCompletionSource();
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Then(async x => { await x.TextAsync("part"); await x.GoneAsync(); gone.SetResult(); });
        using var catalog = ModelHarness.Catalog(upstream);
        using var stop = new CancellationTokenSource();
        var answer = await Stopping(catalog.Client().Ask("hi", stop.Token), stop).CollectAsync();
        Assert.Equal("part", answer.Text);
        Assert.Equal(stop.Token, Assert.IsType<OperationCanceledException>(answer.Failure).CancellationToken);
        await gone.Task.WaitAsync(FakeUpstream.Bound, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Cancelling_before_the_first_byte_reaches_the_upstream()
    {
        var gone = new TaskCompletionSource();
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Then(async x => { await x.GoneAsync(); gone.SetResult(); });
        using var catalog = ModelHarness.Catalog(upstream);
        using var stop = new CancellationTokenSource();
        var asking = catalog.Client().Ask("hi", stop.Token).CollectAsync();
        await upstream.RequestAsync();
        await stop.CancelAsync();
        Assert.IsType<OperationCanceledException>((await asking).Failure);
        await gone.Task.WaitAsync(FakeUpstream.Bound, TestContext.Current.CancellationToken);
        Assert.Equal(0, upstream.Waiting);
    }

    [Fact]
    public async Task A_reader_that_walks_away_reaches_the_upstream()
    {
        var gone = new TaskCompletionSource();
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Then(async x => { await x.TextAsync("part"); await x.GoneAsync(); gone.SetResult(); });
        using var catalog = ModelHarness.Catalog(upstream);
        await foreach (var update in catalog.Client().Ask("hi", TestContext.Current.CancellationToken)) break;
        await gone.Task.WaitAsync(FakeUpstream.Bound, TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("soon", null)]
    [InlineData("0", 0)]
    [InlineData("17", 17)]
    [InlineData("Mon, 15 Jan 2024 10:31:00 GMT", 60)]
    [InlineData("Mon, 15 Jan 2024 10:00:00 GMT", 0)]
    public void Retry_after_is_seconds_or_a_date(string? header, int? seconds)
    {
        var model = new FastChat.Server.Models.ModelSettings { Name = "m", Provider = FastChat.Server.Models.ModelProvider.OpenAI };
        var delay = new FastChat.Server.Models.UpstreamErrors(model, new FakeTimeProvider()).ParseRetryAfter(header);
        Assert.Equal(seconds?.ToString(CultureInfo.InvariantCulture), delay?.TotalSeconds.ToString(CultureInfo.InvariantCulture));
    }

    private static async IAsyncEnumerable<ChatResponseUpdate> Stopping(IAsyncEnumerable<ChatResponseUpdate> updates, CancellationTokenSource stop)
    {
        await foreach (var update in updates)
        {
            yield return update;
            await stop.CancelAsync();
        }
    }
}
