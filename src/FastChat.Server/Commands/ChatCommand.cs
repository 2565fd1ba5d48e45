using System.CommandLine;
using FastChat.Server.Auth;
using FastChat.Server.Commands.Chat;
using FastChat.Server.Configuration;
using FastChat.Storage;

namespace FastChat.Server.Commands;

/// <summary><c>fastchat chat</c>: a terminal client for a running server.</summary>
internal static class ChatCommand
{
    private const string TokenVariable = "FASTCHAT_TOKEN";
    private static readonly TimeSpan TokenLifetime = TimeSpan.FromHours(12);

    public static Command Create(Flags flags, CommandContext context)
    {
        var url = new Option<string?>("--url") { Description = "Address of the server (where fastchat serve listens with the same settings)" };
        var token = new Option<string?>("--token") { Description = $"Who you are (${TokenVariable}; on this machine a token is made)" };
        var name = new Option<string?>("--name") { Description = "User to be, where a token is made (your login name)" };
        var chatbot = new Option<string>("--chatbot") { Description = "Id of the chatbot", DefaultValueFactory = static _ => ChatbotRecord.AssistantId };
        var command = new Command("chat", "Chat with a running server in the terminal") { url, token, name, chatbot, flags.Data, flags.Store };
        command.SetAction(async (parsed, stop) =>
        {
            var settings = new SettingsReader(flags.Configure(parsed, context));
            var server = Address(parsed.GetValue(url), settings);
            var data = DataOptions.Read(settings, context.WorkingDirectory);
            var auth = AuthOptions.Read(settings);
            settings.Add(auth.Validate());
            string? who = parsed.GetValue(token) ?? context.Environment.GetValueOrDefault(TokenVariable);
            if (who is null && !server.IsLoopback)
                settings.Add([$"A server elsewhere needs a token: --token, or {TokenVariable} in the environment."]);
            settings.ThrowIfAny();
            who ??= await TokenCommand.IssueAsync(parsed.GetValue(name) ?? LoginName(context), TokenLifetime, false, data, auth, context, stop);
            return await RunAsync(server, parsed.GetRequiredValue(chatbot), who, context, stop);
        });
        return command;
    }

    private static async Task<int> RunAsync(Uri server, string chatbot, string token, CommandContext context, CancellationToken cancellationToken)
    {
        using var http = new HttpClient();
        var screen = new ChatScreen(context);
        await using var conversation = await ChatConversation.OpenAsync(
            server, chatbot, token, http, ClientChatSocket.ConnectAsync, cancellationToken);
        screen.Welcome(server, conversation);
        return await new ChatLoop(conversation, screen, context).RunAsync(cancellationToken);
    }

    // Relative addresses are resolved against it: hence the slash at the end.
    private static Uri Address(string? url, SettingsReader settings)
    {
        string host = settings.Text("Host") is { } set and not ("*" or "0.0.0.0" or "::") ? set.Trim('[', ']') : "127.0.0.1";
        string scheme = settings.Text("Cert") is null ? Uri.UriSchemeHttp : Uri.UriSchemeHttps;
        var fallback = new UriBuilder(scheme, host, Math.Clamp(settings.Number("Port", 8000), 0, 65535)).Uri;
        if (url is null)
            return fallback;
        if (Uri.TryCreate(url.TrimEnd('/') + "/", UriKind.Absolute, out var given) && given.Scheme is "http" or "https")
            return given;
        settings.Add(["--url must be an http or https address."]);
        return fallback;
    }

    private static string LoginName(CommandContext context) =>
        context.Environment.GetValueOrDefault("USER") ?? context.Environment.GetValueOrDefault("USERNAME") ?? "me";
}
