using System.Globalization;
using FastChat.LoadTests.Load;
using FastChat.LoadTests.Target;
using FastChat.LoadTests.Thresholds;

namespace FastChat.LoadTests.Scenarios;

/// <summary>What a setting is measured in.</summary>
internal enum SettingKind
{
    Count,
    PerSecond,
    Time,
}

/// <summary>One thing about a scenario that can be chosen.</summary>
/// <param name="Name">As an option, without the dashes.</param>
/// <param name="Help">In a line.</param>
/// <param name="Kind">What it is measured in.</param>
/// <param name="Default">As it would be written.</param>
/// <param name="Least">The least allowed; seconds for times.</param>
/// <param name="Most">The most allowed.</param>
internal sealed record Setting(string Name, string Help, SettingKind Kind, string Default, double Least, double Most)
{
    /// <summary>Reads a value.</summary>
    /// <exception cref="FormatException">It is none, or out of range.</exception>
    public double Parse(string text)
    {
        bool good;
        double value;
        if (Kind == SettingKind.Time)
        {
            good = Quantity.TryParseTime(text, out var time);
            value = time.TotalSeconds;
        }
        else
        {
            good = double.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out value)
                && (Kind != SettingKind.Count || value == Math.Floor(value));
        }
        if (!good) throw new FormatException($"--{Name} is '{text}': expected {Expected}.");
        if (value < Least || value > Most) throw new FormatException($"--{Name} is '{text}': expected {Expected} from {Show(Least)} to {Show(Most)}.");
        return value;
    }

    private string Expected => Kind switch
    {
        SettingKind.Time => "a time such as 500ms, 30s or 5m",
        SettingKind.Count => "a whole number",
        _ => "a number",
    };

    private string Show(double value) => Kind == SettingKind.Time ? Quantity.Time(TimeSpan.FromSeconds(value)) : value.ToString("#,0.##", CultureInfo.InvariantCulture);

    public static Setting Count(string name, string help, int value, int most, int least = 1) =>
        new(name, help, SettingKind.Count, value.ToString(CultureInfo.InvariantCulture), least, most);

    public static Setting Rate(string help, string value) => new("rate", help, SettingKind.PerSecond, value, 0.01, 100_000);

    /// <summary>How long operations come; with none at all a run would prove nothing.</summary>
    public static Setting Duration(string value) => Time("duration", "How long", value, least: 0.1);

    /// <summary>What the server of our own is told. How one that runs does it, its user has to say.</summary>
    public static Setting Pace(string value) => Time("pace", "Time between two chunks of the model; 0: as fast as it can, which --url implies", value, 10);

    public static Setting Time(string name, string help, string value, double most = 24 * 3600, double least = 0) => new(name, help, SettingKind.Time, value, least, most);
}

/// <summary>The settings of one run.</summary>
internal sealed class ScenarioSettings
{
    private readonly Dictionary<string, double> _values;

    /// <param name="definition">What can be set.</param>
    /// <param name="given">What was; the rest is as the definition says. Names that it does not have are left out.</param>
    /// <exception cref="FormatException">A value is none, or does not go with another.</exception>
    public ScenarioSettings(ScenarioDefinition definition, IReadOnlyDictionary<string, string> given)
    {
        Texts = definition.Settings.ToDictionary(s => s.Name, s => given.GetValueOrDefault(s.Name) ?? s.Default);
        _values = definition.Settings.ToDictionary(s => s.Name, s => s.Parse(Texts[s.Name]));
        if (definition.Mistake(this) is { } mistake) throw new FormatException(mistake);
    }

    /// <summary>As they were written, for the report.</summary>
    public IReadOnlyDictionary<string, string> Texts { get; }

    public int Count(string name) => (int)_values[name];

    public double Rate(string name = "rate") => _values[name];

    public TimeSpan Time(string name) => TimeSpan.FromSeconds(_values[name]);
}

/// <summary>A latency that a scenario measures.</summary>
/// <param name="Name">As thresholds call it.</param>
/// <param name="Help">From what to what.</param>
internal sealed record LatencyInfo(string Name, string Help)
{
    // Those that most chats have.
    public static LatencyInfo Answer { get; } = new("answer", "from the moment a question was due to the end of its answer, on disk");

    public static LatencyInfo Acknowledged { get; } = new("ack", "to message_received: the question is on disk");

    public static LatencyInfo FirstChunk { get; } = new("first_chunk", "to the first chunk of the answer");

    public static LatencyInfo Chunk { get; } = new("chunk", "how late a chunk came, against the quickest of its answer and the pace; at pace 0, since the one before");
}

/// <summary>A scenario: what it is, what can be set, what it measures.</summary>
/// <param name="Name">As a command.</param>
/// <param name="Title">In a line.</param>
internal sealed record ScenarioDefinition(string Name, string Title)
{
    /// <summary>For the report: what is done, and what is verified.</summary>
    public required string Details { get; init; }

    /// <summary>The first one stands for the scenario.</summary>
    public required IReadOnlyList<LatencyInfo> Latencies { get; init; }

    public required IReadOnlyList<Setting> Settings { get; init; }

    public required Func<ScenarioContext, Scenario> Create { get; init; }

    /// <summary>Settings that a server of our own needs for it.</summary>
    public Func<ScenarioSettings, Dictionary<string, string>> Server { get; init; } = _ => [];

    /// <summary>What is wrong with settings that are right one by one; null for nothing.</summary>
    public Func<ScenarioSettings, string?> Mistake { get; init; } = _ => null;

    /// <summary>Sockets that it holds at a time.</summary>
    public required Func<ScenarioSettings, int> Sockets { get; init; }

    /// <summary>How long the same load runs unmeasured before, so that both sides run compiled code.</summary>
    public string WarmUp { get; init; } = "3s";
}

/// <summary>What a run of a scenario has.</summary>
/// <param name="Target">The server.</param>
/// <param name="Settings">As chosen.</param>
/// <param name="Measurements">Where everything goes.</param>
/// <param name="Tag">Unlike that of any other run, so that users and questions are this run's own.</param>
/// <param name="Seed">For whatever is random.</param>
/// <param name="IsPoisson">Whether arrivals are random.</param>
internal sealed record ScenarioContext(ChatTarget Target, ScenarioSettings Settings, Measurements Measurements, string Tag, int Seed, bool IsPoisson)
{
    public int? ArrivalSeed => IsPoisson ? Seed : null;
}

/// <summary>One run of a scenario. <see cref="OperateAsync"/> is called many times at once.</summary>
internal abstract class Scenario(ScenarioContext context) : IAsyncDisposable
{
    protected ScenarioContext Context => context;

    protected Measurements Measurements => context.Measurements;

    /// <summary>When operations start: steadily, <c>rate</c> a second for the <c>duration</c>, where a scenario says nothing else.</summary>
    public virtual ArrivalSchedule Schedule
    {
        get
        {
            double rate = context.Settings.Rate();
            return new([new Phase(context.Settings.Time("duration"), rate, rate)], context.ArrivalSeed);
        }
    }

    /// <summary>Users, sessions, sockets that are there before it begins.</summary>
    public virtual Task PrepareAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>One operation, with its check; throws where it fails.</summary>
    /// <param name="arrival">Which.</param>
    /// <param name="due">When it was to start: what latencies count from.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public abstract Task OperateAsync(Arrival arrival, long due, CancellationToken cancellationToken);

    /// <summary>Checks that can be made only at the end; what they find goes to the measurements.</summary>
    public virtual Task FinishAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public abstract ValueTask DisposeAsync();

    protected void Record(string latency, long since) => Measurements[latency].Add(context.Target.Time.GetElapsedTime(since));
}
