using FastChat.LoadTests.Load;
using FastChat.LoadTests.Wire;

namespace FastChat.LoadTests.Scenarios;

/// <summary>A bit of everything, for long.</summary>
internal sealed class SoakScenario(ScenarioContext context) : Scenario(context)
{
    // Of ten operations the last two cut their socket and read the history.
    private const int Cycle = 10;

    private readonly Tabs _tabs = new(context);

    public static ScenarioDefinition Definition { get; } = new("soak", "Soak: chat, reconnects and history for a long time, to see what grows")
    {
        Details = "Of ten operations, eight ask and read the answer, one is cut in mid-answer and resumes, one reads the newest messages over REST. What should not change with " +
            "time is memory: rss_drift is the server's mean memory in the last fifth of the run, less that in the second.",
        Latencies =
        [
            LatencyInfo.Answer,
            LatencyInfo.Acknowledged,
            LatencyInfo.FirstChunk,
            LatencyInfo.Chunk,
            new("reconnect", "from a cut to session_info on the new socket"),
            new("resume", "from a cut to the first message of the answer on the new socket"),
            new("history", "GET /conversations/{id}"),
        ],
        Settings =
        [
            Setting.Count("users", "Users", 100, 100_000),
            Setting.Rate("Operations a second", "30"),
            Setting.Duration("10m"),
            Setting.Count("chunks", "Chunks of an answer", 40, 1_000),
            Setting.Pace("20ms"),
        ],
        Mistake = s => Model.TooMuch(s, s.Rate(), s.Count("users")),
        Sockets = s => s.Count("users"),
        Server = s => Model.Pace(s.Time("pace")),
        Create = c => new SoakScenario(c),
    };

    public override Task PrepareAsync(CancellationToken cancellationToken) => _tabs.OpenAsync(Context.Settings.Count("users"), connect: true, cancellationToken);

    public override async Task OperateAsync(Arrival arrival, long due, CancellationToken cancellationToken)
    {
        // Not the remainder alone, or the same users would always do the same.
        int kind = (arrival.Index + arrival.Index / _tabs.Count) % Cycle;
        var tab = _tabs[arrival.Index];
        if (kind == Cycle - 1) await ReadHistoryAsync(tab, due, cancellationToken);
        else if (kind == Cycle - 2) await ReconnectScenario.RunAsync(_tabs, tab, Context, arrival.Index, due, cancellationToken);
        else await _tabs.AskAsync(tab, Context.Settings.Count("chunks"), _tabs.Timing(due, Context.Settings.Time("pace")), cancellationToken);
    }

    public override ValueTask DisposeAsync() => _tabs.DisposeAsync();

    private async Task ReadHistoryAsync(Tab tab, long due, CancellationToken cancellationToken)
    {
        await tab.Turn.WaitAsync(cancellationToken);
        try
        {
            var read = await Context.Target.SendAsync(tab.User, HttpMethod.Get, $"conversations/{tab.Session.ConversationId}?limit=20", WireJson.Default.ConversationIn, cancellationToken: cancellationToken);
            if (read.Messages is null || read.Messages.Where((m, i) => m.Role != (i % 2 == read.Messages.Count % 2 ? "user" : "assistant")).Any())
                throw new LoadException("GET /conversations/{id}: questions and answers do not take turns.");
            Record("history", due);
        }
        finally
        {
            tab.Turn.Release();
        }
    }
}
