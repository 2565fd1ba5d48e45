using System.Globalization;
using FastChat.Compare.Runs;

namespace FastChat.Compare;

/// <summary>What the command line asks for.</summary>
internal sealed record ComparisonOptions
{
    public const string Usage = """
        Drives WebSocket echo servers with the same load, one beside the other, and reports what each costs.

        usage: FastChat.Compare [options]
          --servers A,B      which servers; default: all that this machine has
          --scenarios A,B    which scenarios; default: all
          --rounds N         how often each server has its turn in each scenario, 1 to 100 (3)
          --seconds S        counted seconds of each run, 0.1 to 600 (2)
          --warm-up S        seconds of load before a process's first run, 0 to 600 (3)
          --reference A      the server that the others are multiples of; default: the cheapest in each scenario
          --server-cpus 0,2  CPUs of the servers, none for no pinning; default: the first one
          --client-cpus 1    CPU of the load client, none for no pinning; default: the second one
          --config FILE      further servers, as JSON (below)
          --url ws://...     drive this server, which runs already, and no other
          --pid N            its process, for CPU time and memory; on this machine
          --out DIR          where compare.json, .csv, .md and .html go (compare-report)
          --append           add rounds to the report that is there
          --limit MINUTES    stop after so long, and report what there is (30)
          --list             names the servers and scenarios

        A round takes about (servers) x (scenarios x (seconds + 0.5) + warm-up + 5) seconds. Exit codes: 0 every run has figures,
        1 one has not, or the comparison was interrupted, 2 wrong usage.

        Servers of a file: {"servers": [{"name": "mine", "command": ["./mine", "--port", "{port}"]}]}
        {port} is where to listen on 127.0.0.1, {loops} the number of its CPUs. Also known are "description", "version",
        "environment" (an object), "directory" and "path" (to upgrade at, default /). A server echoes every message as it came:
        text as text, up to 1 MiB, without compression; it is killed when its turn is over, and should end when its input does.
        """;

    private static readonly string[] Named =
    [
        "--servers", "--scenarios", "--rounds", "--seconds", "--warm-up", "--reference", "--server-cpus", "--client-cpus", "--config", "--url", "--pid", "--out", "--limit",
    ];

    public IReadOnlyList<string>? Servers { get; init; }

    public IReadOnlyList<Scenario> Scenarios { get; init; } = Scenario.All;

    public int Rounds { get; init; } = 3;

    public double Seconds { get; init; } = 2;

    public double WarmUp { get; init; } = 3;

    /// <summary>By default the first that this process may use, where there is a second for the client.</summary>
    public IReadOnlyList<int> ServerCpus { get; init; } = CpuPinning.Allowed is [var first, _, ..] ? [first] : [];

    public IReadOnlyList<int> ClientCpus { get; init; } = CpuPinning.Allowed is [_, var second, ..] ? [second] : [];

    /// <summary>The server that ratios are to; null for the cheapest.</summary>
    public string? Reference { get; init; }

    public string? Config { get; init; }

    public Uri? Url { get; init; }

    public int? ProcessId { get; init; }

    public string Out { get; init; } = "compare-report";

    /// <summary>Whether the report that is there already gets more rounds.</summary>
    public bool Append { get; init; }

    public TimeSpan Limit { get; init; } = TimeSpan.FromMinutes(30);

    public bool List { get; init; }

    /// <exception cref="ArgumentException">An option is unknown or its value is out of range; the message says which.</exception>
    public static ComparisonOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new ComparisonOptions();
        for (int i = 0; i < arguments.Count; i++)
        {
            string name = arguments[i];
            if (name is "--list" or "--append")
            {
                options = name == "--list" ? options with { List = true } : options with { Append = true };
                continue;
            }
            if (!Named.Contains(name)) throw new ArgumentException($"'{name}' is no option.");
            string value = ++i < arguments.Count ? arguments[i] : throw new ArgumentException($"{name} wants a value.");
            options = name switch
            {
                "--servers" => options with { Servers = Names(value) },
                "--scenarios" => options with { Scenarios = [.. Names(value).Select(Scenario.Find)] },
                "--rounds" => options with { Rounds = Whole(name, value, 1, 100) },
                "--seconds" => options with { Seconds = Number(name, value, 0.1, 600) },
                "--warm-up" => options with { WarmUp = Number(name, value, 0, 600) },
                "--reference" => options with { Reference = value },
                "--server-cpus" => options with { ServerCpus = Cpus(name, value) },
                "--client-cpus" => options with { ClientCpus = Cpus(name, value) },
                "--config" => options with { Config = value },
                "--url" => options with { Url = ParseUrl(value) },
                "--pid" => options with { ProcessId = Whole(name, value, 1, int.MaxValue) },
                "--out" => options with { Out = value },
                _ => options with { Limit = TimeSpan.FromMinutes(Number(name, value, 0.1, 1440)) },
            };
        }
        if (options.ProcessId is not null && options.Url is null) throw new ArgumentException("--pid goes with --url.");
        if (options.Servers is not null && options.Url is not null) throw new ArgumentException("--url and --servers exclude each other.");
        return options;
    }

    private static string[] Names(string value) => value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct().ToArray() is { Length: > 0 } names
        ? names
        : throw new ArgumentException("A list is empty.");

    private static double Number(string name, string value, double least, double most) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number >= least && number <= most
            ? number
            : throw new ArgumentException($"{name}: '{value}' is not a number from {least.ToString(CultureInfo.InvariantCulture)} to {most.ToString(CultureInfo.InvariantCulture)}.");

    private static int Whole(string name, string value, int least, int most) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most
            ? number
            : throw new ArgumentException($"{name}: '{value}' is not a whole number from {least} to {most}.");

    private static int[] Cpus(string name, string value) => value == "none" ? [] : [.. Names(value).Select(cpu => Whole(name, cpu, 0, 1023))];

    private static Uri ParseUrl(string value) => Uri.TryCreate(value, UriKind.Absolute, out var url) && url.Scheme == "ws"
        ? url
        : throw new ArgumentException($"'{value}' is not a ws:// URL.");
}
