using System.CommandLine;
using System.CommandLine.Help;
using FastChat.LoadTests.Load;
using FastChat.LoadTests.Scenarios;
using FastChat.LoadTests.Thresholds;

namespace FastChat.LoadTests.Commands;

/// <summary>The command line: a command for each scenario, <c>list</c> and <c>all</c>.</summary>
internal static class CommandLine
{
    /// <summary>Every threshold held, and nothing failed.</summary>
    public const int Success = 0;

    /// <summary>A threshold was not kept, the run was ended, or it could not be run.</summary>
    public const int Failure = 1;

    /// <summary>Wrong usage.</summary>
    public const int Usage = 2;

    // What `all` takes in the place of each scenario's own length, the soak's above all.
    private const string AllDuration = "20s";

    /// <summary>Runs a command line. Never throws.</summary>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, bool isInteractive, CancellationToken cancellationToken)
    {
        var parsed = Create(output, isInteractive).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0 && parsed.Action is not HelpAction) return Refuse(error, [.. parsed.Errors.Select(e => e.Message), "--help lists what there is."]);
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, cancellationToken);
        }
        catch (FormatException e)
        {
            return Refuse(error, e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error.WriteLine(e.Message);
            return Failure;
        }
    }

    private static RootCommand Create(TextWriter output, bool isInteractive)
    {
        var common = new CommonOptions();
        var root = new RootCommand("Load tests of FastChat.Server: real sockets and HTTP, open-loop arrivals, every answer verified.\nStarts a server of its own on loopback unless --url names one.");
        root.Options.Remove(root.Options.OfType<VersionOption>().Single());
        foreach (var scenario in Catalog.All) root.Subcommands.Add(Of(scenario, common, output, isInteractive));
        root.Subcommands.Add(AllCommand(common, output, isInteractive));
        var list = new Command("list", "What there is: scenarios, their options and latencies, and what can be asserted");
        list.SetAction(_ => output.Write(Listing.Render()));
        root.Subcommands.Add(list);
        return root;
    }

    private static Command Of(ScenarioDefinition scenario, CommonOptions common, TextWriter output, bool isInteractive)
    {
        var command = new Command(scenario.Name, scenario.Title);
        Dictionary<string, Option<string>> own = [];
        foreach (var setting in scenario.Settings)
        {
            var option = own[setting.Name] = new Option<string>($"--{setting.Name}") { Description = setting.Help, DefaultValueFactory = _ => setting.Default, HelpName = setting.Kind == SettingKind.Time ? "time" : "number" };
            command.Options.Add(option);
        }
        common.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var request = common.Read(parsed, [scenario]);
            var given = own.ToDictionary(o => o.Key, o => parsed.GetValue(o.Value)!);
            // At which pace a server that runs answers is for its user to say.
            if (request.Options.Url is not null && own.TryGetValue("pace", out var pace) && parsed.GetResult(pace) is not { Implicit: false }) given["pace"] = "0";
            var settings = new ScenarioSettings(scenario, given);
            return new Runner(request, output, isInteractive).RunAsync([(scenario, settings)], cancellationToken);
        });
        return command;
    }

    private static Command AllCommand(CommonOptions common, TextWriter output, bool isInteractive)
    {
        var command = new Command("all", "Every scenario, one after the other, each on a server of its own; one report");
        var duration = new Option<string>("--duration") { Description = "How long each runs that takes a duration", DefaultValueFactory = _ => AllDuration, HelpName = "time" };
        command.Options.Add(duration);
        common.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var request = common.Read(parsed, Catalog.All);
            Dictionary<string, string> given = new() { ["duration"] = parsed.GetValue(duration)! };
            if (request.Options.Url is not null) given["pace"] = "0";
            return new Runner(request, output, isInteractive).RunAsync([.. Catalog.All.Select(s => (s, new ScenarioSettings(s, given)))], cancellationToken);
        });
        return command;
    }

    private static int Refuse(TextWriter error, params IEnumerable<string> lines)
    {
        foreach (string line in lines) error.WriteLine(line);
        return Usage;
    }
}
