using System.Text;

namespace FastChat.LoadTests.Wire;

/// <summary>What a question has to be answered with, chunk by chunk: the offline model sends a word at a time.</summary>
internal sealed class ExpectedAnswer
{
    private readonly byte[] _text;
    private readonly int[] _ends;

    private ExpectedAnswer(byte[] text, int[] ends) => (_text, _ends) = (text, ends);

    public int Chunks => _ends.Length;

    public ReadOnlySpan<byte> Text => _text;

    /// <summary>Words, each of them a chunk together with the white space behind it.</summary>
    public static ExpectedAnswer OfWords(IReadOnlyList<string> words)
    {
        int[] ends = new int[words.Count];
        var text = new StringBuilder();
        for (int i = 0; i < words.Count; i++)
        {
            text.Append(words[i]);
            if (i < words.Count - 1) text.Append(' ');
            ends[i] = text.Length;
        }
        return new ExpectedAnswer(Encoding.ASCII.GetBytes(text.ToString()), ends);
    }

    /// <summary>Which chunk a text begins with that ends with chunk <paramref name="last"/>; 0 where it is none of this answer's.</summary>
    public int FirstOf(int last, ReadOnlySpan<byte> text)
    {
        if (last < 1 || last > _ends.Length) return 0;
        int start = _ends[last - 1] - text.Length;
        if (start < 0 || text.IsEmpty || !text.SequenceEqual(_text.AsSpan(start, text.Length))) return 0;
        if (start == 0) return 1;
        int at = Array.BinarySearch(_ends, start);
        return at < 0 ? 0 : at + 2;
    }
}

/// <summary>A question and what is known of its answer.</summary>
/// <param name="Text">What is asked.</param>
/// <param name="Expected">The answer; null where the model is not the offline one.</param>
/// <param name="ClientMessageId">Makes asking again the same question.</param>
internal sealed record Question(string Text, ExpectedAnswer? Expected, string ClientMessageId)
{
    /// <summary>
    /// A question whose answer has so many chunks of so many bytes (at least) with words that no other answer has, so that a chunk that
    /// went to somebody else is found.
    /// </summary>
    /// <param name="tag">Of this question alone: letters, digits and dashes.</param>
    /// <param name="chunks">How many.</param>
    /// <param name="bytes">Of each word.</param>
    /// <param name="anyModel">Whether a model other than the offline one may answer, whose words nobody knows.</param>
    public static Question Repeat(string tag, int chunks, int bytes = 0, bool anyModel = false)
    {
        string[] words = [.. Enumerable.Range(1, chunks).Select(i => $"{tag}.{i}".PadRight(bytes, '_'))];
        return new Question("Repeat after me: " + string.Join(' ', words), anyModel ? null : ExpectedAnswer.OfWords(words), tag);
    }
}
