namespace FastChat.Storage.Retrieval;

/// <summary>Okapi BM25 (k1 1.2, b 0.75), for stores without a full-text engine, and what is found of a question, for all.</summary>
public static class Bm25
{
    private const double K1 = 1.2, B = 0.75;

    /// <summary>Scores a passage.</summary>
    /// <param name="passageTerms">Its words (<see cref="SearchTerms.ForPassageIndex"/>, split).</param>
    /// <param name="terms">Distinct words of the question.</param>
    /// <param name="passagesWith">In how many passages each of these occurs.</param>
    /// <param name="passages">How many passages there are.</param>
    /// <param name="averageLength">Their average length in words.</param>
    public static double Score(
        IReadOnlyList<string> passageTerms, IReadOnlyList<string> terms, IReadOnlyList<int> passagesWith, int passages, double averageLength)
    {
        double score = 0;
        double norm = K1 * (1 - B + B * passageTerms.Count / Math.Max(averageLength, 1));
        for (int i = 0; i < terms.Count; i++)
        {
            int frequency = passageTerms.Count(term => term == terms[i]);
            // "+ 1" keeps the weight of a word positive that most passages hold.
            double weight = Math.Log(1 + (passages - passagesWith[i] + 0.5) / (passagesWith[i] + 0.5));
            score += weight * frequency * (K1 + 1) / (frequency + norm);
        }
        return score;
    }

    /// <summary>Share of the question's words that a passage holds, 0 to 1.</summary>
    public static double Coverage(string passage, IReadOnlyList<string> terms)
    {
        if (terms.Count == 0)
            return 0;
        var found = SearchTerms.Of(passage).Select(term => SearchTerms.Stem(term.Text)).ToHashSet();
        return (double)terms.Count(found.Contains) / terms.Count;
    }
}
