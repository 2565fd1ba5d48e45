using System.CommandLine;
using System.Globalization;
using FastChat.LoadTests.Adapters;
using FastChat.LoadTests.Load;
using FastChat.LoadTests.Scenarios;
using FastChat.LoadTests.Target;
using FastChat.LoadTests.Thresholds;

namespace FastChat.LoadTests.Commands;

/// <summary>What was asked for beside a scenario's own settings.</summary>
/// <param name="Options">How to run.</param>
/// <param name="Thresholds">What to assert.</param>
/// <param name="Out">Where reports go.</param>
/// <param name="IsPlain">Whether lines are wanted where a live view could be.</param>
internal sealed record RunRequest(RunOptions Options, IReadOnlyList<Threshold> Thresholds, string Out, bool IsPlain);

/// <summary>The options that every scenario has.</summary>
internal sealed class CommonOptions
{
    private readonly Option<string?> _url = new("--url") { Description = "A server that runs; else one is started", HelpName = "address" };
    private readonly Option<string?> _secret = new("--secret") { Description = "That server's Auth:Secret, to sign users in with; else development tokens (loopback)", HelpName = "text" };
    private readonly Option<string?> _token = new("--token") { Description = "A token of one user, for scenarios that need no more", HelpName = "jwt" };
    private readonly Option<bool> _insecure = new("--insecure") { Description = "Take any certificate" };
    private readonly Option<bool> _anyModel = new("--any-model") { Description = "That server's model is not the offline one: check order, numbers and whole texts, not the words" };
    private readonly Option<int?> _process = new("--pid") { Description = "That server's process, to see its CPU time and memory", HelpName = "id" };
    private readonly Option<string[]> _assert = new("--assert") { Description = "What must hold, as in p99<50ms; may be given many times (see list). errors=0 unless said otherwise", HelpName = "condition" };
    private readonly Option<string> _out = new("--out") { Description = "Directory of the reports", DefaultValueFactory = _ => "loadtest-results", HelpName = "directory" };
    private readonly Option<string?> _warmUp = new("--warm-up") { Description = "Unmeasured load beforehand; 3s, but for idle", HelpName = "time" };
    private readonly Option<string> _timeout = new("--timeout") { Description = "For each request, connection and answer", DefaultValueFactory = _ => "30s", HelpName = "time" };
    private readonly Option<int> _maxInFlight = new("--max-in-flight") { Description = "Operations at a time; more are errors", DefaultValueFactory = _ => 50_000, HelpName = "number" };
    private readonly Option<bool> _poisson = new("--poisson") { Description = "Arrivals at random around the rate, not in even distances" };
    private readonly Option<int> _seed = new("--seed") { Description = "For whatever is random", DefaultValueFactory = _ => 1, HelpName = "number" };
    private readonly Option<string[]> _set = new("--set") { Description = "A setting of the server that is started, as in Sockets:PingInterval=5s", HelpName = "key=value" };
    private readonly Option<string?> _cpus = new("--server-cpus") { Description = "CPUs for the server that is started, as in 0 or 0,1", HelpName = "list" };
    private readonly Option<bool> _nbomber = new("--nbomber") { Description = "Have NBomber start the operations, and report beside; needs a build with -p:NBomber=true" };
    private readonly Option<bool> _plain = new("--plain") { Description = "Lines in the place of the live view" };

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_assert, _out, _url, _secret, _token, _insecure, _anyModel, _process, _warmUp, _timeout, _maxInFlight, _poisson, _seed, _set, _cpus, _nbomber, _plain])
            command.Options.Add(option);
    }

    /// <exception cref="FormatException">A value is wrong; says which.</exception>
    public RunRequest Read(ParseResult parsed, IReadOnlyList<ScenarioDefinition> scenarios)
    {
        Threshold[] thresholds = [.. (parsed.GetValue(_assert) ?? []).Select(Threshold.Parse)];
        Threshold.Check(thresholds, scenarios);
        var url = parsed.GetValue(_url) is { } address ? Address(address) : null;
        foreach (Option option in (Option[])(url is null ? [_secret, _token, _insecure, _anyModel, _process] : [_set, _cpus]))
            if (parsed.GetResult(option) is { Implicit: false })
                throw new FormatException(url is null ? $"{option.Name} is about a server that runs: give --url as well." : $"{option.Name} is about a server that is started: it does not go with --url.");
        var server = (parsed.GetValue(_set) ?? []).Select(Setting).ToArray();
        if (server.GroupBy(s => s.Key, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1) is { } twice) throw new FormatException($"--set gives {twice.Key} twice.");
        if (server.FirstOrDefault(s => OwnServer.IsSetHere(s.Key)) is { Key: { } own }) throw new FormatException($"--set {own}: that of the server that is started is chosen for each run.");
        if (parsed.GetValue(_process) is { } id && ProcessSampler.CpuSeconds(id) is null) throw new FormatException($"--pid is {id}: there is no such process, or it cannot be looked at.");
        string directory = Path.GetFullPath(parsed.GetValue(_out)!);
        if (parsed.GetValue(_nbomber)) Loops.CheckNBomber();
        int inFlight = parsed.GetValue(_maxInFlight);
        if (inFlight is < 1 or > 1_000_000) throw new FormatException($"--max-in-flight is {inFlight}: expected 1 to 1,000,000.");
        var timeout = Time(_timeout, parsed.GetValue(_timeout)!);
        if (timeout < TimeSpan.FromMilliseconds(10)) throw new FormatException("--timeout is less than 10ms.");
        return new RunRequest(new RunOptions
        {
            Url = url,
            Secret = parsed.GetValue(_secret),
            Token = parsed.GetValue(_token),
            Insecure = parsed.GetValue(_insecure),
            AnyModel = parsed.GetValue(_anyModel),
            ProcessId = parsed.GetValue(_process),
            ServerCpus = Cpus(parsed.GetValue(_cpus)),
            ServerSettings = server.ToDictionary(),
            WarmUp = parsed.GetValue(_warmUp) is { } warmUp ? Time(_warmUp, warmUp) : null,
            Timeout = timeout,
            MaxInFlight = inFlight,
            Seed = parsed.GetValue(_seed),
            IsPoisson = parsed.GetValue(_poisson),
            NBomberFolder = parsed.GetValue(_nbomber) ? Path.Combine(directory, "nbomber") : null,
        }, thresholds, directory, parsed.GetValue(_plain));
    }

    private static Uri Address(string text) => Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
        ? address : throw new FormatException($"--url is '{text}': expected an http or https address.");

    private static TimeSpan Time(Option option, string text) => Quantity.TryParseTime(text, out var time) && time <= TimeSpan.FromHours(1)
        ? time : throw new FormatException($"{option.Name} is '{text}': expected a time such as 500ms, 30s or 5m, at most an hour.");

    private static KeyValuePair<string, string> Setting(string text) => text.IndexOf('=', StringComparison.Ordinal) is > 0 and var at
        ? new(text[..at], text[(at + 1)..]) : throw new FormatException($"--set is '{text}': expected a key, = and a value.");

    private static int[] Cpus(string? text) => text is null ? [] : [.. text.Split(',').Select(part =>
        int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int cpu) && cpu < Environment.ProcessorCount ? cpu
            : throw new FormatException($"--server-cpus is '{text}': expected numbers from 0 to {Environment.ProcessorCount - 1}, with commas between."))];
}
