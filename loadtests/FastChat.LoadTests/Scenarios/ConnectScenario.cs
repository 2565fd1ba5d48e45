using FastChat.LoadTests.Load;

namespace FastChat.LoadTests.Scenarios;

/// <summary>Sockets that all want to connect at once, and those that only stay: connecting is the operation.</summary>
internal sealed class ConnectScenario(ScenarioContext context) : Scenario(context)
{
    private readonly Tabs _tabs = new(context);
    private readonly int _sockets = context.Settings.Count("connections");
    private readonly TimeSpan _hold = context.Settings.Time("hold");

    public static ScenarioDefinition Storm { get; } = new("storm", "Connect storm: sockets that all come at once, at a rate that does not wait")
    {
        Details = "Sessions are opened beforehand; then each operation connects a socket, upgrades it with a token, and waits for session_info. " +
            "At the end every socket has to answer one more request.",
        Latencies = [new("connect", "from the moment a socket was due to session_info"), new("probe", "a request on each of the open sockets, at the end")],
        Settings =
        [
            Setting.Count("connections", "Sockets to open", 2_000, 200_000),
            Setting.Rate("Sockets a second", "500"),
            Setting.Time("hold", "How long all stay open before they are asked", "1s"),
        ],
        Sockets = s => s.Count("connections"),
        Create = c => new ConnectScenario(c),
    };

    public static ScenarioDefinition Idle { get; } = new("idle", "Idle sockets: what it costs to hold 10,000 of them")
    {
        Details = "Every user has a session and a socket on it, which then says nothing. What they cost is the memory of the server at the end of that " +
            "time, over its memory right after its start (rss_growth) and before the sockets came (rss_per_socket). Every socket then has to answer a request.",
        Latencies = Storm.Latencies,
        Settings =
        [
            Setting.Count("connections", "Sockets to hold", 10_000, 200_000),
            Setting.Rate("Sockets a second while they connect", "1000"),
            Setting.Time("hold", "How long they say nothing", "20s"),
        ],
        Sockets = s => s.Count("connections"),
        Create = c => new ConnectScenario(c),
        // Memory counts from the start: whatever warms up is part of the price.
        WarmUp = "0s",
    };

    public override ArrivalSchedule Schedule
    {
        get
        {
            double rate = Context.Settings.Rate();
            return new([new Phase(TimeSpan.FromSeconds(_sockets / rate), rate, rate, "connect"), new Phase(_hold, 0, 0, "hold")], Context.ArrivalSeed);
        }
    }

    public override Task PrepareAsync(CancellationToken cancellationToken) => _tabs.OpenAsync(_sockets, connect: false, cancellationToken);

    public override async Task OperateAsync(Arrival arrival, long due, CancellationToken cancellationToken)
    {
        // A random schedule may have a few more arrivals than there are sessions.
        if (arrival.Index >= _sockets) return;
        var tab = _tabs[arrival.Index];
        tab.Link = await _tabs.ConnectAsync(tab, cancellationToken: cancellationToken);
        Record("connect", due);
    }

    public override Task FinishAsync(CancellationToken cancellationToken) => _tabs.ForEachAsync(async (tab, stop) =>
    {
        if (tab.Link is null) return;
        long start = Context.Target.Time.GetTimestamp();
        await tab.Link.ProbeAsync(Context.Target.Timeout, stop);
        Record("probe", start);
    }, cancellationToken);

    public override ValueTask DisposeAsync() => _tabs.DisposeAsync();
}
