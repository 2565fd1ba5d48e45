using FastChat.LoadTests.Load;
using FastChat.LoadTests.Wire;

namespace FastChat.LoadTests.Scenarios;

/// <summary>Sockets that break in mid-answer.</summary>
internal sealed class ReconnectScenario(ScenarioContext context) : Scenario(context)
{
    private readonly Tabs _tabs = new(context);

    public static ScenarioDefinition Definition { get; } = new("reconnect", "Reconnect: sockets cut in mid-answer, which resume by seq")
    {
        Details = "A user asks; at a chunk chosen by chance (sometimes before the first, even before message_received) the socket is cut. A new one resumes after the last " +
            "chunk that had come; where the answer's id was not known yet, it sends the question again with the same client_message_id. The answer must be whole: nothing " +
            "lost, nothing twice, in order, over both sockets together.",
        Latencies =
        [
            new("reconnect", "from the cut to session_info on the new socket"),
            new("resume", "from the cut to the first message of the answer on the new socket"),
            new("answer", "from the moment a question was due to the end of its answer, the cut included"),
        ],
        Settings =
        [
            Setting.Count("users", "Users", 100, 100_000),
            Setting.Rate("Questions, and cuts, a second", "40"),
            Setting.Duration("20s"),
            Setting.Count("chunks", "Chunks of an answer", 60, 1_000),
            Setting.Pace("10ms"),
        ],
        Mistake = s => Model.TooMuch(s, s.Rate(), s.Count("users")),
        Sockets = s => s.Count("users"),
        Server = s => Model.Pace(s.Time("pace")),
        Create = c => new ReconnectScenario(c),
    };

    public override Task PrepareAsync(CancellationToken cancellationToken) => _tabs.OpenAsync(Context.Settings.Count("users"), connect: true, cancellationToken);

    public override Task OperateAsync(Arrival arrival, long due, CancellationToken cancellationToken) =>
        RunAsync(_tabs, _tabs[arrival.Index], Context, arrival.Index, due, cancellationToken);

    public override ValueTask DisposeAsync() => _tabs.DisposeAsync();

    /// <summary>Asks, cuts, resumes, and waits for the whole answer.</summary>
    public static async Task RunAsync(Tabs tabs, Tab tab, ScenarioContext context, int index, long due, CancellationToken cancellationToken)
    {
        await tab.Turn.WaitAsync(cancellationToken);
        try
        {
            int chunks = context.Settings.Count("chunks");
            int cutAt = new Random(HashCode.Combine(context.Seed, index)).Next(0, chunks);
            var time = context.Target.Time;
            var timing = tabs.Timing(due, TimeSpan.Zero) with { Chunk = null, FirstChunk = null };
            var track = new AnswerTrack(tabs.NextQuestion(tab, chunks), timing, cutAt);
            if (!tab.Link!.IsOpen) tab.Link = await tabs.ConnectAsync(tab, cancellationToken: cancellationToken);
            await tab.Link.AskAsync(track);
            if (cutAt > 0) await track.Reached.WaitAsync(context.Target.Timeout, time, cancellationToken);

            long cut = time.GetTimestamp();
            await tab.Link.CutAsync();
            tab.Link = await tabs.ConnectAsync(tab, cancellationToken: cancellationToken);
            context.Measurements["reconnect"].Add(time.GetElapsedTime(cut));
            track.Resumed(cut, context.Measurements.Find("resume"));
            await tab.Link.ResumeAsync(track);
            await tabs.WaitAsync(tab.Link, track, cancellationToken);
        }
        finally
        {
            tab.Turn.Release();
        }
    }
}
