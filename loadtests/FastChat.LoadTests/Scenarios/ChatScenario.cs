using System.Globalization;
using FastChat.LoadTests.Load;
using FastChat.LoadTests.Thresholds;

namespace FastChat.LoadTests.Scenarios;

/// <summary>Users who ask, read the answer as it streams, and think: steadily, or with a spike in the middle.</summary>
internal sealed class ChatScenario(ScenarioContext context, IReadOnlyList<Phase> phases, TimeSpan pace) : Scenario(context)
{
    private readonly Tabs _tabs = new(context);

    private static readonly LatencyInfo[] Answers =
    [
        LatencyInfo.Answer,
        LatencyInfo.Acknowledged,
        LatencyInfo.FirstChunk,
        LatencyInfo.Chunk,
    ];

    private static Setting ChunksSetting => Setting.Count("chunks", "Chunks of an answer", 40, 1_000);

    public static ScenarioDefinition Chat { get; } = new("chat", "Steady chat: users who ask, read the streaming answer, and think")
    {
        Details = "Each user has a session and a socket, and asks once in every think time, whether the server keeps up or not. Every answer is compared, " +
            "byte for byte and chunk for chunk, with the one that this very question must have.",
        Latencies = Answers,
        Settings =
        [
            Setting.Count("users", "Users", 200, 100_000),
            Setting.Time("think", "Time from one question of a user to the next", "2s", 3600, 0.01),
            Setting.Duration("30s"),
            ChunksSetting,
            Setting.Pace("20ms"),
        ],
        Mistake = s => Model.TooMuch(s, s.Count("users") / s.Time("think").TotalSeconds, s.Count("users")),
        Sockets = s => s.Count("users"),
        Server = s => Model.Pace(s.Time("pace")),
        Create = c =>
        {
            double rate = c.Settings.Count("users") / c.Settings.Time("think").TotalSeconds;
            return new ChatScenario(c, [new Phase(c.Settings.Time("duration"), rate, rate)], c.Settings.Time("pace"));
        },
    };

    public static ScenarioDefinition Spike { get; } = new("spike", "Spike: a steady chat, many times as much for a while, and steady again")
    {
        Details = "As the steady chat, in three phases; before, spike and after are the latencies of the answers that were due in each. A server that has " +
            "recovered answers after the spike as it did before.",
        Latencies = [.. Answers, new("before", "answers due before the spike"), new("spike", "answers due in it"), new("after", "answers due after it")],
        Settings =
        [
            Setting.Count("users", "Users", 400, 100_000),
            Setting.Rate("Questions a second before and after", "40"),
            new("factor", "How many times as many in the spike", SettingKind.PerSecond, "8", 1, 1_000),
            Setting.Time("steady", "How long before, and after", "10s", 24 * 3600, 0.1),
            Setting.Time("spike", "How long the spike is", "10s", 24 * 3600, 0.1),
            ChunksSetting,
            Setting.Pace("20ms"),
        ],
        Sockets = s => s.Count("users"),
        Server = s => Model.Pace(s.Time("pace")),
        Create = c =>
        {
            double rate = c.Settings.Rate(), high = rate * c.Settings.Rate("factor");
            var steady = c.Settings.Time("steady");
            return new ChatScenario(c, [new(steady, rate, rate, "before"), new(c.Settings.Time("spike"), high, high, "spike"), new(steady, rate, rate, "after")], c.Settings.Time("pace"));
        },
    };

    public override ArrivalSchedule Schedule => new(phases, Context.ArrivalSeed);

    public override Task PrepareAsync(CancellationToken cancellationToken) => _tabs.OpenAsync(Context.Settings.Count("users"), connect: true, cancellationToken);

    public override async Task OperateAsync(Arrival arrival, long due, CancellationToken cancellationToken)
    {
        await _tabs.AskAsync(_tabs[arrival.Index], Context.Settings.Count("chunks"), _tabs.Timing(due, pace), cancellationToken);
        if (arrival.Phase.Name.Length > 0) Record(arrival.Phase.Name, due);
    }

    public override ValueTask DisposeAsync() => _tabs.DisposeAsync();
}

/// <summary>How a server of our own is told to answer.</summary>
internal static class Model
{
    /// <summary>The offline model at a pace.</summary>
    public static Dictionary<string, string> Pace(TimeSpan pace) => new()
    {
        ["Models:0:Name"] = "offline",
        ["Models:0:Provider"] = "offline",
        ["Models:0:WordDelay"] = pace.ToString("c", CultureInfo.InvariantCulture),
    };

    /// <summary>What is wrong with a rate at which users would have to ask before their answer before has ended; null for nothing.</summary>
    /// <param name="settings">With the chunks of an answer and the model's pace.</param>
    /// <param name="rate">Questions a second, of all users together.</param>
    /// <param name="users">Who ask one thing at a time.</param>
    public static string? TooMuch(ScenarioSettings settings, double rate, int users)
    {
        double answer = settings.Count("chunks") * settings.Time("pace").TotalSeconds;
        return rate * answer <= users ? null : string.Create(CultureInfo.InvariantCulture,
            $"An answer takes {Quantity.Time(TimeSpan.FromSeconds(answer))} at that pace, so that {users:#,0} asking one at a time get {users / answer:0.##} a second and not {rate:0.##}: no server could keep up.");
    }
}
