using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using FastChat.Chat;
using Microsoft.Extensions.Logging;

namespace FastChat.Core.Tests.Chat;

public sealed class ChatDiagnosticsTests
{
    [Fact]
    public async Task Instruments_count_what_happens()
    {
        await using var chat = new ChatHarness();
        var values = new ConcurrentDictionary<string, double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter == chat.Engine.Metrics.Meter)
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((i, value, _, _) => values.AddOrUpdate(i.Name, value, (_, sum) => sum + value));
        listener.SetMeasurementEventCallback<double>((i, value, _, _) => values.AddOrUpdate(i.Name, value, (_, sum) => sum + value));
        listener.Start();

        var (socket, peer, session) = await chat.OpenSessionAsync();
        await socket.SendAsync("""{"message":"hi"}""");
        await peer.NextAsync("message_received");
        await peer.NextAsync("response_start");
        var model = await chat.Model.NextAsync();
        Assert.Equal(1, values["fastchat.generations.running"]);
        chat.Time.Advance(TimeSpan.FromSeconds(2));
        model.Say("a");
        await peer.NextAsync("response_chunk");
        model.Say("b").Finish();
        await peer.NextAsync("response_chunk");
        await peer.NextAsync("response_complete");
        Assert.Equal(0, values["fastchat.generations.running"]);
        Assert.Equal(1, values["fastchat.generations"]);
        Assert.Equal(2, values["fastchat.generation.chunks"]);
        Assert.Equal(2, values["fastchat.generation.time_to_first_chunk"]);
        Assert.Equal(2, values["fastchat.generation.duration"]);
        Assert.Equal(1, values["fastchat.sessions.active"]);
        chat.Limiter.Decision = new RateDecision(false, TimeSpan.FromSeconds(1));
        await socket.SendAsync("""{"message":"hi"}""");
        Assert.Equal(1, values["fastchat.rate_limit.refusals"]);
        chat.Engine.Sessions.Close(chat.Alice.Id, session.Id);
        Assert.Equal(0, values["fastchat.sessions.active"]);
    }

    [Fact]
    public async Task An_answer_is_an_activity()
    {
        await using var chat = new ChatHarness();
        var stopped = new ConcurrentBag<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "FastChat",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = stopped.Add,
        };
        ActivitySource.AddActivityListener(listener);
        var turn = await chat.AskAsync("hi", "there");
        // Its end is a step after the answer's.
        await ChatHarness.UntilAsync(() => stopped.Any(a => Equals(a.GetTagItem("fastchat.message_id"), turn.Answer.Id)));
        var activity = stopped.Single(a => Equals(a.GetTagItem("fastchat.message_id"), turn.Answer.Id));
        Assert.Equal(("chat.generation", "first", "stop"),
            (activity.OperationName, activity.GetTagItem("fastchat.model"), activity.GetTagItem("fastchat.finish_reason")));
    }

    [Fact]
    public async Task No_log_holds_what_anybody_said()
    {
        var log = new ListLogger();
        await using var chat = new ChatHarness(null, log);
        var (socket, peer, _) = await chat.OpenSessionAsync();
        await socket.SendAsync("""{"message":"swordfish question"}""");
        (await chat.Model.NextAsync()).Say("swordfish answer").Finish();
        while ((await peer.NextAsync()).Text("type") != "response_complete") { }
        await socket.SendAsync("""{"message":"swordfish question""");
        await peer.NextAsync("error");
        await chat.Engine.DrainAsync().Bounded();
        Assert.Contains(log.Lines, l => l.Contains("ended: stop", StringComparison.Ordinal));
        Assert.DoesNotContain(log.Lines, l => l.Contains("swordfish", StringComparison.Ordinal));
    }

    private sealed class ListLogger : ILogger<ChatEngine>
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{formatter(state, exception)} {exception}");
    }
}
