using System.Globalization;
using FastChat.Compare.Runs;

namespace FastChat.Compare;

/// <summary>What the command line asks for.</summary>
internal sealed record ComparisonOptions
{
    public const string Usage = """
        usage: FastChat.Compare [options]
          --servers A,B      which servers; default: all that this machine has
          --scenarios A,B    which scenarios; default: all
          --rounds N         how often each server has its turn, 1 to 100 (3)
          --seconds S        counted seconds of each run, 0.1 to 600 (2)
          --warm-up S        seconds of load before the first run of a process, 0 to 600 (3)
          --server-cpus 0    CPUs of the servers, none for no pinning; default: 0
          --client-cpus 1    CPUs of the load client; default: 1
          --config FILE      further servers, as JSON
          --url ws://...     drive this server, which runs already, and no other
          --pid N            its process, for CPU time and memory
          --out DIR          where the report goes (compare-report)
          --limit MINUTES    give up after so long, and report what there is (30)
          --list             names the servers and scenarios
        """;

    public IReadOnlyList<string>? Servers { get; init; }

    public IReadOnlyList<Scenario> Scenarios { get; init; } = Scenario.All;

    public int Rounds { get; init; } = 3;

    public double Seconds { get; init; } = 2;

    public double WarmUp { get; init; } = 3;

    public IReadOnlyList<int> ServerCpus { get; init; } = Environment.ProcessorCount > 1 ? [0] : [];

    public IReadOnlyList<int> ClientCpus { get; init; } = Environment.ProcessorCount > 1 ? [1] : [];

    public string? Config { get; init; }

    public Uri? Url { get; init; }

    public int? ProcessId { get; init; }

    public string Out { get; init; } = "compare-report";

    public TimeSpan Limit { get; init; } = TimeSpan.FromMinutes(30);

    public bool List { get; init; }

    /// <exception cref="ArgumentException">An option is unknown or its value is out of range; the message says which.</exception>
    public static ComparisonOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new ComparisonOptions();
        for (int i = 0; i < arguments.Count; i++)
        {
            string name = arguments[i];
            if (name == "--list")
            {
                options = options with { List = true };
                continue;
            }
            if (!name.StartsWith("--", StringComparison.Ordinal)) throw new ArgumentException($"'{name}' is no option.");
            string value = ++i < arguments.Count ? arguments[i] : throw new ArgumentException($"{name} wants a value.");
            options = name switch
            {
                "--servers" => options with { Servers = Names(value) },
                "--scenarios" => options with { Scenarios = [.. Names(value).Select(Scenario.Find)] },
                "--rounds" => options with { Rounds = (int)Number(name, value, 1, 100) },
                "--seconds" => options with { Seconds = Number(name, value, 0.1, 600) },
                "--warm-up" => options with { WarmUp = Number(name, value, 0, 600) },
                "--server-cpus" => options with { ServerCpus = Cpus(name, value) },
                "--client-cpus" => options with { ClientCpus = Cpus(name, value) },
                "--config" => options with { Config = value },
                "--url" => options with { Url = ParseUrl(value) },
                "--pid" => options with { ProcessId = (int)Number(name, value, 1, int.MaxValue) },
                "--out" => options with { Out = value },
                "--limit" => options with { Limit = TimeSpan.FromMinutes(Number(name, value, 0.1, 1440)) },
                _ => throw new ArgumentException($"'{name}' is no option."),
            };
        }
        if (options.ProcessId is not null && options.Url is null) throw new ArgumentException("--pid goes with --url.");
        if (options.Servers is not null && options.Url is not null) throw new ArgumentException("--url and --servers exclude each other.");
        return options;
    }

    private static string[] Names(string value) => value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is { Length: > 0 } names
        ? names
        : throw new ArgumentException("A list is empty.");

    private static double Number(string name, string value, double least, double most) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number >= least && number <= most
            ? number
            : throw new ArgumentException($"{name}: '{value}' is not a number from {least.ToString(CultureInfo.InvariantCulture)} to {most.ToString(CultureInfo.InvariantCulture)}.");

    private static int[] Cpus(string name, string value) => value == "none" ? [] : [.. Names(value).Select(cpu => (int)Number(name, cpu, 0, 1023))];

    private static Uri ParseUrl(string value) => Uri.TryCreate(value, UriKind.Absolute, out var url) && url.Scheme == "ws"
        ? url
        : throw new ArgumentException($"'{value}' is not a ws:// URL.");
}
