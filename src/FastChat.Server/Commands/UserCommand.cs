using System.CommandLine;
using System.Globalization;
using FastChat.Server.Auth;
using FastChat.Server.Configuration;
using FastChat.Storage;

namespace FastChat.Server.Commands;

/// <summary><c>fastchat user add NAME</c> and <c>fastchat user list</c>. Both may run beside the server.</summary>
internal static class UserCommand
{
    private const int PageSize = 500;

    public static Command Create(Flags flags, CommandContext context)
    {
        var name = NameArgument();
        var add = new Command("add", "Make a user and print the id") { name, flags.Data, flags.Store };
        add.SetAction((parsed, stop) => AddAsync(parsed.GetRequiredValue(name), Settings(parsed, flags, context), context, stop));
        var list = new Command("list", "Print every user, newest first: id, time of creation, name") { flags.Data, flags.Store };
        list.SetAction((parsed, stop) => ListAsync(Settings(parsed, flags, context), context, stop));
        return new Command("user", "Add and list users") { add, list };
    }

    /// <summary>The name of a user.</summary>
    public static Argument<string> NameArgument()
    {
        var name = new Argument<string>("NAME") { Description = "Name of the user" };
        name.Validators.Add(result =>
        {
            string? value = result.Tokens.Count == 1 ? result.Tokens[0].Value : null;
            if (value is not null && (string.IsNullOrWhiteSpace(value) || !AuthenticatedUser.IsValidId(value)))
                result.AddError($"NAME must be 1 to {AuthenticatedUser.MaxIdLength} characters, none of them a control character.");
        });
        return name;
    }

    /// <summary>Where the data is, from flags and configuration.</summary>
    public static DataOptions Settings(ParseResult parsed, Flags flags, CommandContext context)
    {
        var settings = new SettingsReader(flags.Configure(parsed, context));
        var data = DataOptions.Read(settings, context.WorkingDirectory);
        settings.ThrowIfAny();
        return data;
    }

    /// <summary>Returns the user of this name, made where needed. Two who make it at once get the same one.</summary>
    public static async Task<UserRecord> GetOrCreateAsync(IChatStore store, string name, CancellationToken cancellationToken) =>
        await store.GetUserByNameAsync(name, cancellationToken)
        ?? await store.CreateUserAsync(name, cancellationToken)
        ?? await store.GetUserByNameAsync(name, cancellationToken)
        ?? throw new CommandException($"The user {name} could not be made.");

    private static async Task<int> AddAsync(string name, DataOptions data, CommandContext context, CancellationToken cancellationToken)
    {
        await using var store = await context.OpenStore(data, context.Time, cancellationToken);
        var user = await store.CreateUserAsync(name, cancellationToken) ?? throw new CommandException($"There is a user named {name} already.");
        await context.Out.WriteLineAsync(user.Id);
        return ExitCode.Success;
    }

    private static async Task<int> ListAsync(DataOptions data, CommandContext context, CancellationToken cancellationToken)
    {
        await using var store = await context.OpenStore(data, context.Time, cancellationToken);
        string? before = null;
        do
        {
            var page = await store.ListUsersAsync(new PageRequest(PageSize, before), cancellationToken);
            foreach (var user in page.Items)
                await context.Out.WriteLineAsync(
                    $"{user.Id}\t{user.CreatedAt.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)}\t{PlainText.OneLine(user.Name)}");
            before = page.Next;
        }
        while (before is not null);
        return ExitCode.Success;
    }
}
