namespace FastChat.LoadTests.Wire;

/// <summary>What was wrong with answers.</summary>
/// <param name="Lost">Chunks that never came.</param>
/// <param name="Doubled">Chunks that came again.</param>
/// <param name="Reordered">Chunks that came after a later one.</param>
/// <param name="Wrong">Texts that are not the answer's.</param>
internal readonly record struct Faults(int Lost, int Doubled, int Reordered, int Wrong)
{
    public bool Any => Lost + Doubled + Reordered + Wrong > 0;

    public override string ToString() => $"{Lost} lost, {Doubled} doubled, {Reordered} reordered, {Wrong} wrong";
}

/// <summary>
/// Checks one answer as it comes, byte for byte: every chunk exactly once, in order, and the whole text at the end. A chunk may stand for
/// several where the reader was slow (its <c>seq</c> is then that of the last). Where the text is not known beforehand, it checks that
/// <c>seq</c> grows and that the chunks together are the whole text. Not thread-safe.
/// </summary>
/// <param name="expected">The answer, where it is known.</param>
internal sealed class AnswerVerifier(ExpectedAnswer? expected)
{
    private readonly bool[] _seen = new bool[expected?.Chunks ?? 0];
    private readonly MemoryStream? _text = expected is null ? new MemoryStream() : null;
    private int _doubled, _reordered, _wrong, _lost;

    /// <summary>The highest <c>seq</c> so far.</summary>
    public int LastSeq { get; private set; }

    /// <summary>Whether every chunk of a text has come.</summary>
    public bool IsWhole(ReadOnlySpan<byte> whole) => expected is null ? _text!.Length >= whole.Length : !_seen.Contains(false);

    public Faults Faults => new(_lost, _doubled, _reordered, _wrong);

    /// <summary>A chunk came.</summary>
    /// <returns>The first of the chunks it stands for; 0 where it is none of this answer's.</returns>
    public int Chunk(int seq, ReadOnlySpan<byte> text)
    {
        if (expected is null) return Unknown(seq, text);
        int first = expected.FirstOf(seq, text);
        if (first == 0)
        {
            _wrong++;
            return 0;
        }
        for (int number = first; number <= seq; number++)
        {
            if (_seen[number - 1]) _doubled++;
            else if (number < LastSeq) _reordered++;
            _seen[number - 1] = true;
        }
        LastSeq = Math.Max(LastSeq, seq);
        return first;
    }

    /// <summary>The answer is complete.</summary>
    public void Complete(ReadOnlySpan<byte> whole)
    {
        if (expected is not null)
        {
            _lost += _seen.Count(seen => !seen);
            if (!whole.SequenceEqual(expected.Text)) _wrong++;
            return;
        }
        var received = _text!.GetBuffer().AsSpan(0, (int)_text.Length);
        if (received.SequenceEqual(whole)) return;
        // Nobody can say how many chunks the missing text was.
        if (received.Length < whole.Length) _lost++;
        else _wrong++;
    }

    private int Unknown(int seq, ReadOnlySpan<byte> text)
    {
        if (seq == LastSeq) _doubled++;
        else if (seq < LastSeq) _reordered++;
        else
        {
            int first = LastSeq + 1;
            LastSeq = seq;
            _text!.Write(text);
            return first;
        }
        return 0;
    }
}
