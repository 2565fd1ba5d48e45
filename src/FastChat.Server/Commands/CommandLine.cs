using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Net.Http;
using System.Net.WebSockets;
using System.Reflection;
using FastChat.Storage;

namespace FastChat.Server.Commands;

/// <summary>The command line of <c>fastchat</c>: finds the command, runs it, and turns whatever happens into lines and an exit code.</summary>
internal static class CommandLine
{
    /// <summary>This build's version.</summary>
    public static string Version { get; } = typeof(CommandLine).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Runs a command line. Never throws.</summary>
    /// <returns><see cref="ExitCode"/>: 0 fine, 1 failure, 2 wrong usage or configuration.</returns>
    public static async Task<int> RunAsync(string[] args, CommandContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            // No response files: a name that begins with @ is a name.
            var parsed = Create(context).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (parsed.Errors.Count > 0 && parsed.Action is not (HelpAction or VersionAction))
                return await RefuseAsync(context.Error, parsed.Errors.Select(error => error.Message).Append("fastchat --help lists what there is."));
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                Output = context.Out,
                Error = context.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            }, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCode.Failure;
        }
        catch (Exception e)
        {
            await context.Error.WriteLineAsync(Describe(e));
            return e is CommandException command ? command.ExitCode : ExitCode.Failure;
        }
    }

    private static RootCommand Create(CommandContext context)
    {
        var flags = new Flags();
        var root = new RootCommand("FastChat: a chat server with WebSocket streaming, REST and history.");
        root.Options.OfType<VersionOption>().Single().Action = new VersionAction();
        ServeCommand.AddTo(root, flags, context);
        root.Subcommands.Add(TokenCommand.Create(flags, context));
        root.Subcommands.Add(UserCommand.Create(flags, context));
        root.Subcommands.Add(ChatCommand.Create(flags, context));
        return root;
    }

    private static async Task<int> RefuseAsync(TextWriter error, IEnumerable<string> lines)
    {
        foreach (string line in lines)
            await error.WriteLineAsync(line);
        return ExitCode.Usage;
    }

    // What the environment does to us is told in a sentence; a defect of ours with all that helps to find it.
    private static string Describe(Exception e) => e switch
    {
        CommandException or StoreException or IOException or UnauthorizedAccessException or FormatException or HttpRequestException
            or WebSocketException => e.Message,
        _ => $"fastchat failed unexpectedly: {e}",
    };

    private sealed class VersionAction : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine(Version);
            return ExitCode.Success;
        }
    }
}
