using System.Text.RegularExpressions;
using FastChat.LoadTests.Load;
using FastChat.LoadTests.Scenarios;

namespace FastChat.LoadTests.Thresholds;

/// <summary>How a threshold came out.</summary>
/// <param name="Expression">As it was written.</param>
/// <param name="Actual">The figure, for people.</param>
/// <param name="Passed">Whether it holds. What was not measured does not.</param>
internal sealed record ThresholdResult(string Expression, string Actual, bool Passed);

/// <summary>What a run has to keep: <c>p99&lt;50ms</c>, <c>errors=0</c>, <c>errors&lt;0.1%</c>, <c>rss_growth&lt;=40MiB</c>.</summary>
internal sealed partial class Threshold
{
    private readonly Metric _metric;
    private readonly string _operator;
    private readonly double _limit;
    private readonly QuantityKind _kind;
    private readonly string _text;

    private Threshold(string text, Metric metric, string @operator, double limit, QuantityKind kind) =>
        (_text, _metric, _operator, _limit, _kind) = (text, metric, @operator, limit, kind);

    /// <summary>What is asserted where nothing else is said of errors.</summary>
    public static Threshold NoErrors { get; } = Parse("errors=0");

    public Metric Metric => _metric;

    /// <exception cref="FormatException">Says what is wrong.</exception>
    public static Threshold Parse(string text)
    {
        var match = Expression().Match(text);
        if (!match.Success) throw new FormatException($"'{text}' is no assertion: expected a metric, one of < <= > >= = !=, and a value, as in p99<50ms or errors=0.");
        var metric = Metric.Parse(match.Groups["metric"].Value);
        string value = match.Groups["value"].Value;
        if (!Quantity.TryParse(value, out double limit, out var unit))
            throw new FormatException($"'{text}': '{value.Trim()}' is no value. Units are ns, us, ms, s, m, h; B, KB, MB, GB, KiB, MiB, GiB; %.");
        bool isShare = metric.IsErrors && unit == QuantityKind.Share;
        bool isPlain = unit == QuantityKind.Count && (metric.Kind is QuantityKind.Count or QuantityKind.PerSecond || limit == 0);
        if (!isShare && !isPlain && unit != metric.Kind)
            throw new FormatException($"'{text}': {metric} {Needs(metric.Kind)}.");
        return new Threshold(text, metric, match.Groups["operator"].Value, limit, isShare ? QuantityKind.Share : metric.Kind);
    }

    /// <summary>Those that a scenario is held to: those given, and no errors where none of them says what errors there may be.</summary>
    public static IReadOnlyList<Threshold> For(ScenarioDefinition scenario, IReadOnlyList<Threshold> given) =>
        [.. given.Any(t => t._metric.IsErrors) ? [] : (Threshold[])[NoErrors], .. given.Where(t => t._metric.IsOf(scenario))];

    /// <summary>Refuses metrics that none of the scenarios has.</summary>
    /// <exception cref="FormatException">There is one.</exception>
    public static void Check(IEnumerable<Threshold> given, IReadOnlyList<ScenarioDefinition> scenarios)
    {
        if (given.FirstOrDefault(t => !scenarios.Any(t._metric.IsOf)) is { } homeless)
            throw new FormatException($"'{homeless._text}': {(scenarios is [var only] ? $"{only.Name} has no such latency" : "no scenario has such a latency")}. There are {string.Join(", ", scenarios.SelectMany(s => s.Latencies).Select(l => l.Name).Append(Measurements.Lag).Distinct())}.");
    }

    public ThresholdResult Evaluate(ScenarioResult result)
    {
        double? actual = _metric.Of(result);
        if (_kind == QuantityKind.Share && _metric.IsErrors) actual = result.Operations > 0 ? result.Errors / (double)result.Operations : result.Errors > 0 ? 1 : 0;
        if (actual is not { } value) return new ThresholdResult(_text, "not measured", false);
        bool holds = _operator switch
        {
            "<" => value < _limit,
            "<=" => value <= _limit,
            ">" => value > _limit,
            ">=" => value >= _limit,
            "!=" => value != _limit,
            _ => value == _limit,
        };
        return new ThresholdResult(_text, Quantity.Show(value, _kind), holds);
    }

    public override string ToString() => _text;

    private static string Needs(QuantityKind kind) => kind switch
    {
        QuantityKind.Time => "is a time, which needs a unit: ns, us, ms, s, m, h",
        QuantityKind.Bytes => "is memory, which needs a unit: B, KB, MB, GB, KiB, MiB, GiB",
        QuantityKind.Share => "is a share, which needs a %",
        _ => "is a number, which has no unit",
    };

    [GeneratedRegex(@"^\s*(?<metric>[A-Za-z_][\w.]*)\s*(?<operator><=|>=|!=|==?|<|>)\s*(?<value>[^<>=!]+)$")]
    private static partial Regex Expression();
}
