using System.Globalization;
using FastChat.LoadTests.Load;
using FastChat.LoadTests.Wire;

namespace FastChat.LoadTests.Scenarios;

/// <summary>One session in many tabs.</summary>
internal sealed class FanOutScenario(ScenarioContext context) : Scenario(context)
{
    private readonly Tabs _tabs = new(context);
    private ChatLink[] _links = [];

    public static ScenarioDefinition Definition { get; } = new("fanout", "Fan-out: one session in many tabs, which all see every answer")
    {
        Details = "All sockets are on one session. In turn, one asks, and every one has to receive the whole answer, chunk by chunk, from the one generation.",
        Latencies =
        [
            new("answer", "from the moment a question was due to the end of its answer, in each tab"),
            new("spread", "from the first tab that has the whole answer to the last"),
            new("ack", "to message_received, in the tab that asks"),
            new("first_chunk", "to the first chunk of the answer, in each tab"),
            LatencyInfo.Chunk,
        ],
        Settings =
        [
            Setting.Count("tabs", "Sockets on the session; a server that is not our own has its own limit, 16 by default", 50, 1_000),
            Setting.Rate("Questions a second; a session answers one at a time", "0.8"),
            Setting.Duration("20s"),
            Setting.Count("chunks", "Chunks of an answer", 40, 1_000),
            Setting.Pace("20ms"),
        ],
        Mistake = s => Model.TooMuch(s, s.Rate(), users: 1),
        Sockets = s => s.Count("tabs"),
        Server = s => new(Model.Pace(s.Time("pace"))) { ["Chat:MaxSocketsPerSession"] = Math.Max(16, s.Count("tabs")).ToString(CultureInfo.InvariantCulture) },
        Create = c => new FanOutScenario(c),
    };

    public override async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await _tabs.OpenAsync(1, connect: false, cancellationToken);
        _links = new ChatLink[Context.Settings.Count("tabs")];
        for (int i = 0; i < _links.Length; i++) _links[i] = await _tabs.ConnectAsync(_tabs[0], cancellationToken: cancellationToken);
    }

    public override async Task OperateAsync(Arrival arrival, long due, CancellationToken cancellationToken)
    {
        var tab = _tabs[0];
        // Tabs tell answers apart by their order, so they have to ask in that order.
        await tab.Turn.WaitAsync(cancellationToken);
        try
        {
            var question = _tabs.NextQuestion(tab, Context.Settings.Count("chunks"));
            var timing = _tabs.Timing(due, Context.Settings.Time("pace"));
            int asker = arrival.Index % _links.Length;
            AnswerTrack[] tracks = [.. _links.Select(_ => new AnswerTrack(question, timing))];
            for (int i = 0; i < _links.Length; i++)
                if (i != asker) _links[i].Follow(tracks[i]);
            await _links[asker].AskAsync(tracks[asker]);
            await WaitAsync(tracks, cancellationToken);
        }
        finally
        {
            tab.Turn.Release();
        }
    }

    private async Task WaitAsync(AnswerTrack[] tracks, CancellationToken cancellationToken)
    {
        var ends = _links.Select((link, i) => _tabs.WaitAsync(link, tracks[i], cancellationToken)).ToArray();
        var first = Task.WhenAny(ends).ContinueWith(_ => Context.Target.Time.GetTimestamp(), TaskScheduler.Default);
        await Task.WhenAll(ends);
        Record("spread", await first);
    }

    public override async ValueTask DisposeAsync()
    {
        await _tabs.CloseAsync(_links);
        await _tabs.DisposeAsync();
    }
}
