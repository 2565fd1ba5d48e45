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
                [flags.Port, flags.Host, flags.Data, flags.Store, flags.Model, flags.Certificate, flags.Key, flags.InsecureTrustUserId, flags.UntilInputEnds])
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
        if (parsed.GetValue(flags.UntilInputEnds))
            EndWithInput(context.In, context.Interrupts);
        return await context.Serve(options, context.Out, cancellationToken);
    }

    /// <summary>
    /// A pipe ends with the process that holds its other end, however that ended. It is read on a thread of its own: reading standard input blocks.
    /// Ctrl-C, which a terminal sends to both processes, is for that one to act on.
    /// </summary>
    private static void EndWithInput(TextReader input, Interrupts interrupts)
    {
        interrupts.Handler = () => true;
        new Thread(Read) { IsBackground = true, Name = "standard input" }.Start();

        void Read()
        {
            try
            {
                char[] ignored = new char[256];
                while (input.Read(ignored) > 0)
                {
                }
            }
            catch (IOException)
            {
                // What cannot be read has ended too.
            }
            try
            {
                interrupts.End();
            }
            catch (ObjectDisposedException)
            {
                // The server has ended by itself, and its process is about to.
            }
        }
    }
}
