using System.CommandLine;
using FastChat.Server.Auth;
using FastChat.Server.Auth.Keys;
using FastChat.Server.Auth.Tokens;
using FastChat.Server.Configuration;

namespace FastChat.Server.Commands;

/// <summary><c>fastchat token NAME</c>: makes the user where needed and prints a token alone. May run beside the server.</summary>
internal static class TokenCommand
{
    public static Command Create(Flags flags, CommandContext context)
    {
        var name = UserCommand.NameArgument();
        var expires = new Option<string>("--expires")
        {
            Description = "How long the token is valid: 30m, 12h, 1d (at most 366d)",
            DefaultValueFactory = static _ => "1d",
        };
        var admin = new Option<bool>("--admin") { Description = "Give the token the admin role" };
        var command = new Command("token", "Make a token for a user, who is made where needed, and print it")
        {
            name, flags.Data, flags.Store, expires, admin,
        };
        command.SetAction((parsed, stop) => RunAsync(
            parsed.GetRequiredValue(name), parsed.GetRequiredValue(expires), parsed.GetValue(admin),
            flags, parsed, context, stop));
        return command;
    }

    /// <summary>Makes a token of this data directory's own key.</summary>
    public static async Task<string> IssueAsync(string name, TimeSpan lifetime, bool admin, DataOptions data, AuthOptions auth,
        CommandContext context, CancellationToken cancellationToken)
    {
        await using var store = await context.OpenStore(data, context.Time, cancellationToken);
        var user = await UserCommand.GetOrCreateAsync(store, name, cancellationToken);
        var keys = new SigningKeyFile(data.Directory, auth.SigningKeyLifetime, context.Time);
        return await new TokenIssuer(keys, auth, context.Time).IssueAsync(user.Id, user.Name, lifetime, admin, cancellationToken);
    }

    private static async Task<int> RunAsync(string name, string expires, bool admin, Flags flags, ParseResult parsed,
        CommandContext context, CancellationToken cancellationToken)
    {
        var settings = new SettingsReader(flags.Configure(parsed, context));
        var data = DataOptions.Read(settings, context.WorkingDirectory);
        var auth = AuthOptions.Read(settings);
        settings.Add(auth.Validate());
        if (!Durations.TryParse(expires, out var lifetime) || lifetime <= TimeSpan.Zero || lifetime > SigningKeyFile.MaxTokenLifetime)
            settings.Add(["--expires must be a duration such as 30m, 12h or 1d, at most 366d."]);
        settings.ThrowIfAny();
        await context.Out.WriteLineAsync(await IssueAsync(name, lifetime, admin, data, auth, context, cancellationToken));
        return ExitCode.Success;
    }
}
