using Spectre.Console;

namespace FastChat.Server.Commands.Chat;

/// <summary>
/// What the terminal client shows: colours and a prompt for a person; for a script the answers alone, a line end after each, and errors
/// on standard error.
/// </summary>
internal sealed class ChatScreen
{
    private static readonly Style Quiet = new(Color.Grey);
    private static readonly Style Mine = new(Color.Green, decoration: Decoration.Bold);
    private static readonly Style Theirs = new(Color.Aqua, decoration: Decoration.Bold);
    private static readonly Style Bad = new(Color.Red);

    private readonly CommandContext _context;
    private readonly IAnsiConsole _console;

    public ChatScreen(CommandContext context)
    {
        _context = context;
        _console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(context.Out),
            // https://no-color.org
            Ansi = context.Interactive && !context.Environment.ContainsKey("NO_COLOR") ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = InteractionSupport.No,
        });
        // The terminal wraps by itself; a chunk does not know in which column it begins.
        _console.Profile.Width = 1 << 20;
    }

    /// <summary>Says where we are and what was said before.</summary>
    public void Welcome(Uri server, ChatConversation conversation)
    {
        if (!_context.Interactive)
            return;
        Write($"{conversation.Chatbot} at {server}. Ctrl-C stops an answer; Ctrl-D or /quit leaves.\n", Quiet);
        foreach (var (role, text) in conversation.Previous)
        {
            bool theirs = role == "assistant";
            Write(theirs ? $"{conversation.Chatbot} " : "You ", theirs ? Theirs : Mine);
            Write($"{text}\n", Quiet);
        }
    }

    /// <summary>Asks for a line.</summary>
    public void Prompt()
    {
        if (_context.Interactive)
            Write("You › ", Mine);
    }

    /// <summary>Begins an answer.</summary>
    public void Begin(string chatbot)
    {
        if (_context.Interactive)
            Write($"{chatbot} › ", Theirs);
    }

    /// <summary>Shows a piece of an answer as it comes.</summary>
    public void Chunk(string text) => Write(text, Style.Plain);

    /// <summary>Ends an answer; says how, where it was not in the usual way.</summary>
    public void End(string? finishReason)
    {
        if (_context.Interactive && finishReason is not (null or "stop"))
            Write($" [{finishReason}]", Quiet);
        Write("\n", Style.Plain);
    }

    /// <summary>Shows an error.</summary>
    public void Error(string text)
    {
        if (_context.Interactive)
            Write($"{text}\n", Bad);
        else
            _context.Error.WriteLine(text);
    }

    private void Write(string text, Style style)
    {
        _console.Write(new Text(text, style));
        _context.Out.Flush();
    }
}
