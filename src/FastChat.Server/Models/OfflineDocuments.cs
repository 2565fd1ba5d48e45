using System.Text;
using FastChat.Chat;

namespace FastChat.Server.Models;

/// <summary>Answers out of document passages by quoting the sentences that share most words with the question.</summary>
internal static class OfflineDocuments
{
    private const int MaxSources = 3;
    private const int MaxSentences = 3;
    private const int MaxSentenceLength = 500;

    /// <summary>The answer, or null when no passage has a word of the question.</summary>
    public static string? Answer(string question, IReadOnlyList<ModelPassage> passages)
    {
        var terms = OfflineText.Terms(question);
        if (terms.Count == 0) return null;
        var quotes = passages.Select((p, order) => Quote(p, order, terms)).Where(q => q.Score > 0).ToList();
        if (quotes.Count == 0) return null;
        int best = quotes.Max(q => q.Score);
        var answer = new StringBuilder("Here is what your documents say:\n");
        // A passage that shares much less with the question than the best one is noise.
        foreach (var quote in quotes.Where(q => q.Score * 2 > best).OrderByDescending(q => q.Score).ThenBy(q => q.Order).Take(MaxSources))
        {
            foreach (string sentence in quote.Sentences) answer.Append("\n> ").Append(OfflineText.Shorten(sentence, MaxSentenceLength));
            answer.Append("\n>\n> — *").Append(quote.Source).Append("*\n");
        }
        return answer.Append("\nI am FastChat's offline model: I quote the passages that match your words, I do not reason about them.").ToString();
    }

    private static Match Quote(ModelPassage passage, int order, HashSet<string> terms)
    {
        var scored = OfflineText.Sentences(passage.Text)
            .Select((text, at) => (Text: text, At: at, Score: OfflineText.Terms(text).Count(terms.Contains)))
            .Where(s => s.Score > 0).ToList();
        if (scored.Count == 0) return new Match(passage.Source, order, 0, []);
        int best = scored.Max(s => s.Score);
        var chosen = scored.Where(s => s.Score * 2 > best).OrderByDescending(s => s.Score).ThenBy(s => s.At).Take(MaxSentences).OrderBy(s => s.At);
        return new Match(passage.Source, order, best, [.. chosen.Select(s => s.Text)]);
    }

    private sealed record Match(string Source, int Order, int Score, IReadOnlyList<string> Sentences);
}
