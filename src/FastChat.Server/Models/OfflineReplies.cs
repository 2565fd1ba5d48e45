using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using FastChat.Chat;
using Microsoft.Extensions.AI;

namespace FastChat.Server.Models;

/// <summary>Composes the offline model's answer: a pure function of the conversation.</summary>
internal static partial class OfflineReplies
{
    private const int MaxCount = 1000;

    private const string About =
        "I am FastChat's built-in offline model. I need no key and no network, and I am not a language model: I follow simple rules, so the " +
        "same conversation always gets the same answer.";

    private const string Skills =
        """
        Try one of these:

        - ask about a **document** you uploaded, and I quote the passage that answers
        - `summarise` – what you told me so far, in a list
        - `count to 50` – a long answer, good for trying *stop* and *reload*
        - `12.5 * 4` – a little arithmetic
        - `show me markdown`, `a table`, `some code` – to see how answers are shown
        - `repeat after me: …`

        To talk to a real model, configure one: see `Models` in the configuration.
        """;

    private const string Code =
        """"
        Here is a WebSocket echo client in C#:

        ```csharp
        using System.Net.WebSockets;
        using System.Text;

        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri("ws://127.0.0.1:8000/ws"), CancellationToken.None);
        await socket.SendAsync("""{"type":"message","content":"Hello"}"""u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);

        var buffer = new byte[4096];
        var result = await socket.ReceiveAsync(buffer, CancellationToken.None);
        Console.WriteLine(Encoding.UTF8.GetString(buffer, 0, result.Count));
        ```
        """";

    private const string Table =
        """
        | Provider | Needs | Good for |
        | --- | --- | --- |
        | `offline` | nothing | trying the server, tests |
        | `openai` | an endpoint, mostly a key | OpenAI, Ollama, vLLM |
        | `gemini` | a key | Google's models |
        """;

    private const string List =
        """
        1. You write a message, and the server stores it before it says so.
        2. The model answers piece by piece:
           - each piece has a number,
           - a lost connection resumes after the last one.
        3. The whole answer is stored, and then it is complete.
        """;

    /// <summary>The answer to the last user message of <paramref name="messages"/> (oldest first).</summary>
    public static string Compose(IReadOnlyList<ChatMessage> messages)
    {
        var said = messages.Where(m => m.Role == ChatRole.User).Select(m => m.Text.Trim()).ToList();
        if (said.Count == 0 || said[^1].Length == 0) return $"You sent nothing yet. {About}\n\n{Skills}";
        string question = said[^1];
        var passages = messages.SelectMany(m => ModelContext.TryGetPassages(m, out var found) ? found : []).ToList();
        return Command(question)
            ?? (Summarise().IsMatch(question) ? Summary(said, passages) : null)
            ?? OfflineDocuments.Answer(question, passages)
            ?? SmallTalk(question, said.Count)
            ?? Sample(question)
            ?? Echo(question, said.Count);
    }

    // What leaves no doubt about what is wanted.
    private static string? Command(string question)
    {
        if (Repeat().Match(question) is { Success: true } repeat) return repeat.Groups[1].Value.Trim();
        if (CountTo().Match(question) is { Success: true } count) return Count(count.Groups[1].Value);
        if (Arithmetic().Match(question) is { Success: true } sum) return Calculate(sum);
        return null;
    }

    private static string? SmallTalk(string question, int turns)
    {
        if (Greeting().IsMatch(question))
            return turns > 1 ? "Hello again! What would you like to try?" : $"Hello! {About} Write `help` to see what I can do.";
        if (Thanks().IsMatch(question)) return "You are welcome!";
        if (Farewell().IsMatch(question)) return "Goodbye! This conversation stays here for when you come back.";
        if (WhoAreYou().IsMatch(question)) return $"{About}\n\n{Skills}";
        return null;
    }

    private static string? Sample(string question)
    {
        if (Markdown().IsMatch(question))
            return $"## Markdown\n\nText may be **bold**, *italic*, ~~struck~~ or `code`, with [links](https://commonmark.org).\n\n> And quoted.\n\n" +
                $"### A list\n\n{List}\n\n### A table\n\n{Table}\n\n### Code\n\n{Code}";
        if (WantsTable().IsMatch(question)) return $"Here is a table of the providers this server knows:\n\n{Table}";
        if (WantsCode().IsMatch(question)) return Code;
        if (WantsList().IsMatch(question)) return $"Here is how an answer reaches you:\n\n{List}";
        return null;
    }

    private static string Summary(List<string> said, List<ModelPassage> passages)
    {
        var summary = new StringBuilder();
        var earlier = said[..^1];
        if (Summarise().Match(said[^1]).Groups[1].Value.Trim() is { Length: > 0 } text) earlier = [.. OfflineText.Sentences(text)];
        if (passages.Count > 0)
        {
            summary.Append("Your documents, by their first words:\n\n");
            foreach (var passage in passages) summary.Append("- **").Append(passage.Source).Append("**: ").Append(OfflineText.Shorten(passage.Text, 160)).Append('\n');
            summary.Append('\n');
        }
        if (earlier.Count == 0) return passages.Count > 0 ? summary.ToString() : "You have not told me anything yet that I could summarise.";
        summary.Append(CultureInfo.InvariantCulture, $"You said {earlier.Count} {(earlier.Count == 1 ? "thing" : "things")}:\n\n");
        foreach (string line in earlier) summary.Append("- ").Append(OfflineText.Shorten(line, 120)).Append('\n');
        var topics = earlier.SelectMany(OfflineText.Terms).CountBy(t => t).OrderByDescending(t => t.Value).ThenBy(t => t.Key, StringComparer.Ordinal);
        return summary.Append("\nThe words you used most: ").AppendJoin(", ", topics.Take(5).Select(t => $"*{t.Key}*")).Append('.').ToString();
    }

    private static string Count(string digits)
    {
        int to = int.TryParse(digits, CultureInfo.InvariantCulture, out int asked) ? Math.Min(asked, MaxCount) : MaxCount;
        string numbers = string.Join(' ', Enumerable.Range(1, to));
        return asked == to ? numbers : $"{numbers}\n\nI stop at {MaxCount}.";
    }

    private static string Calculate(Match sum)
    {
        const NumberStyles Plain = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint;
        decimal left = decimal.Parse(sum.Groups[1].Value, Plain, CultureInfo.InvariantCulture);
        decimal right = decimal.Parse(sum.Groups[3].Value, Plain, CultureInfo.InvariantCulture);
        char sign = sum.Groups[2].Value[0];
        if (sign is '/' or '÷' && right == 0) return "Nothing can be divided by zero.";
        decimal result = sign switch { '+' => left + right, '-' or '−' => left - right, '/' or '÷' => left / right, _ => left * right };
        return string.Create(CultureInfo.InvariantCulture, $"{left} {sign} {right} = **{result:0.############}**");
    }

    private static string Echo(string question, int turns)
    {
        var topics = OfflineText.Terms(question).Take(3).Select(t => $"*{t}*").ToList();
        string about = topics.Count == 0 ? "" : $" It is about {string.Join(", ", topics)}, as far as I can tell.";
        int words = OfflineText.CountWords(question);
        return string.Create(CultureInfo.InvariantCulture,
            $"You wrote{(turns > 1 ? $" (message {turns} of this conversation)" : "")}:\n\n> {OfflineText.Shorten(question, 400)}\n\n") +
            string.Create(CultureInfo.InvariantCulture, $"That is {words} {(words == 1 ? "word" : "words")}.{about} ") +
            "I am the offline model and cannot answer questions of my own knowledge; write `help` to see what I can do.";
    }

    [GeneratedRegex(@"^\s*(?:please\s+)?(?:repeat after me|repeat|echo)\s*:?\s+(.+)$", Options | RegexOptions.Singleline)]
    private static partial Regex Repeat();

    [GeneratedRegex(@"\bcount\s+(?:up\s+)?(?:from\s+1\s+)?to\s+(\d{1,9})\b", Options)]
    private static partial Regex CountTo();

    [GeneratedRegex(@"^\s*(?:what(?:'s|\s+is)\s+|calculate\s+|how much is\s+)?(-?\d{1,9}(?:\.\d{1,6})?)\s*([-+*/x×÷−])\s*(-?\d{1,9}(?:\.\d{1,6})?)\s*[=?.]*\s*$", Options)]
    private static partial Regex Arithmetic();

    [GeneratedRegex(@"^\s*(?:please\s+|can you\s+|could you\s+)?summ?ari[sz]e\b(?:[^:]{0,80}:(.+))?|\bsummary\b", Options | RegexOptions.Singleline)]
    private static partial Regex Summarise();

    [GeneratedRegex(@"^\s*(?:hi|hello|hey|good (?:morning|day|afternoon|evening)|greetings|hallo|bonjour|hola)\b[^?]{0,30}$", Options)]
    private static partial Regex Greeting();

    [GeneratedRegex(@"^\s*(?:many\s+)?(?:thanks|thank you|thx|merci|danke)\b", Options)]
    private static partial Regex Thanks();

    [GeneratedRegex(@"^\s*(?:bye|goodbye|good night|see you)\b", Options)]
    private static partial Regex Farewell();

    [GeneratedRegex(@"\b(?:who|what) are you\b|\bwhat can you do\b|\bcan you help\b|\bhelp me\b|^\s*(?:/?help|\?)\s*[.!?]*\s*$|\b(?:which|what) model\b", Options)]
    private static partial Regex WhoAreYou();

    [GeneratedRegex(@"\bmarkdown\b", Options)]
    private static partial Regex Markdown();

    [GeneratedRegex(@"\btables?\b", Options)]
    private static partial Regex WantsTable();

    [GeneratedRegex(@"\b(?:code|snippet|c#|program)\b", Options)]
    private static partial Regex WantsCode();

    [GeneratedRegex(@"\b(?:lists?|bullets?|steps)\b", Options)]
    private static partial Regex WantsList();

    private const RegexOptions Options = RegexOptions.IgnoreCase | RegexOptions.CultureInvariant;
}
