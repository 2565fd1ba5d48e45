using System.CommandLine;
using FastChat.Server.Configuration;

namespace FastChat.Server.Commands;

/// <summary><c>fastchat [serve]</c>: checks every setting, then runs the server.</summary>
internal static class ServeCommand
{
    public static void AddTo(RootCommand root, Flags flags, CommandContext context)
    {
        var serve = new Command("serve", "Run the server (what fastchat does without a command)");
        foreach (var command in (Command[])[root, serve])
        {
            foreach (Option option in (Option[])
                [flags.Port, flags.Host, flags.Data, flags.Store, flags.Model, flags.Certificate, flags.Key, flags.InsecureTrustUserId])
                command.Options.Add(option);
            command.SetAction((parsed, cancellationToken) => RunAsync(parsed, flags, context, cancellationToken));
        }
        root.Subcommands.Add(serve);
    }

    /// <summary>The one line on standard output that says where the server accepts connections.</summary>
    public static string ReadyLine(string address) => $"FastChat accepts connections on {address}";

    private static async Task<int> RunAsync(ParseResult parsed, Flags flags, CommandContext context, CancellationToken cancellationToken)
    {
        var configuration = flags.Configure(parsed, context);
        var settings = new SettingsReader(configuration);
        var options = ServeOptions.Read(
            configuration, settings, context.WorkingDirectory, name => context.Environment.GetValueOrDefault(name),
            parsed.GetValue(flags.InsecureTrustUserId));
        settings.ThrowIfAny();
        return await context.Serve(options, context.Out, cancellationToken);
    }
}
