using FastChat.LoadTests.Load;

namespace FastChat.LoadTests.Scenarios;

/// <summary>Many answers that stream at the same time.</summary>
internal sealed class StreamsScenario(ScenarioContext context) : Scenario(context)
{
    private readonly Tabs _tabs = new(context);

    public static ScenarioDefinition Definition { get; } = new("streams", "Concurrent streams: 2,000 answers of 100 chunks each, all at the same time")
    {
        Details = "Every user has a session and a socket, and asks once; the questions are spread over the ramp, and the answers then stream side by side, each at " +
            "the model's pace. Each chunk is compared with the one it has to be: none may be lost, doubled, out of order, or somebody else's.",
        Latencies =
        [
            LatencyInfo.Chunk,
            LatencyInfo.Answer,
            LatencyInfo.Acknowledged,
            LatencyInfo.FirstChunk,
        ],
        Settings =
        [
            Setting.Count("connections", "Answers at a time, each on a socket of its own", 2_000, 100_000),
            Setting.Count("chunks", "Chunks of an answer", 100, 1_000),
            Setting.Pace("50ms"),
            Setting.Time("ramp", "Time over which the questions are spread", "2s", 600, 0.001),
        ],
        Sockets = s => s.Count("connections"),
        Server = s => Model.Pace(s.Time("pace")),
        Create = c => new StreamsScenario(c),
    };

    public override ArrivalSchedule Schedule
    {
        get
        {
            int streams = Context.Settings.Count("connections");
            return ArrivalSchedule.Of(streams, streams / Context.Settings.Time("ramp").TotalSeconds, Context.ArrivalSeed);
        }
    }

    public override Task PrepareAsync(CancellationToken cancellationToken) => _tabs.OpenAsync(Context.Settings.Count("connections"), connect: true, cancellationToken);

    public override Task OperateAsync(Arrival arrival, long due, CancellationToken cancellationToken) =>
        _tabs.AskAsync(_tabs[arrival.Index], Context.Settings.Count("chunks"), _tabs.Timing(due, Context.Settings.Time("pace")), cancellationToken);

    public override ValueTask DisposeAsync() => _tabs.DisposeAsync();
}
