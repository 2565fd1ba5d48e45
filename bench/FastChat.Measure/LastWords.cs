namespace FastChat.Measure;

/// <summary>The last lines that a process has written, to say with them how it ended. Thread-safe.</summary>
internal sealed class LastWords
{
    private const int KeptLines = 20;

    private readonly Queue<string> _lines = new();

    /// <summary>Takes a line. Blank ones, and the null that stands for a stream's end, tell nothing.</summary>
    public void Add(string? line)
    {
        if (string.IsNullOrWhiteSpace(line)) return;
        lock (_lines)
        {
            _lines.Enqueue(line);
            if (_lines.Count > KeptLines) _lines.Dequeue();
        }
    }

    /// <summary>All in one line.</summary>
    /// <param name="mostChars">How much of it, from its beginning.</param>
    public string Text(int mostChars = int.MaxValue)
    {
        string said;
        lock (_lines) said = string.Join(" | ", _lines);
        return said.Length == 0 ? "it said nothing." : said.Length <= mostChars ? said : said[..mostChars] + "...";
    }
}
