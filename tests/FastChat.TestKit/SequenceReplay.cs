using System.Buffers;

namespace FastChat.TestKit;

/// <summary>One way in which a network may deliver bytes: the same octets, cut into segments.</summary>
/// <param name="How">How they are cut, for the message of a failed test.</param>
/// <param name="Bytes">Segments over fresh arrays: a parser may change them in place.</param>
public readonly record struct ReplayedSequence(string How, ReadOnlySequence<byte> Bytes)
{
    public override string ToString() => How;
}

/// <summary>
/// Replays bytes for a parser whole, split at every index and one byte a segment (<see cref="Cuts"/>), or as they trickle in, as every
/// prefix of themselves (<see cref="Prefixes"/>).
/// </summary>
public static class SequenceReplay
{
    /// <summary>All of <paramref name="bytes"/> every time: one segment, two segments cut at every index, one byte a segment.</summary>
    public static IEnumerable<ReplayedSequence> Cuts(byte[] bytes)
    {
        yield return new("whole", Whole(bytes));
        for (int at = 1; at < bytes.Length; at++) yield return new($"split at {at}", SplitAt(bytes, at));
        if (bytes.Length > 1) yield return new("one byte a segment", ByteWise(bytes));
    }

    /// <summary>Every proper prefix of <paramref name="bytes"/>, the empty one first, in one segment or in segments of one byte.</summary>
    public static IEnumerable<ReplayedSequence> Prefixes(byte[] bytes, bool byteWise = false)
    {
        for (int length = 0; length < bytes.Length; length++)
            yield return new($"the first {length} bytes", byteWise ? ByteWise(bytes.AsSpan(0, length)) : Whole(bytes.AsSpan(0, length)));
    }

    /// <summary>One segment.</summary>
    public static ReadOnlySequence<byte> Whole(ReadOnlySpan<byte> bytes) => new(bytes.ToArray());

    /// <summary>Segments cut at the given indexes, in ascending order; equal indexes make an empty segment.</summary>
    public static ReadOnlySequence<byte> SplitAt(ReadOnlySpan<byte> bytes, params ReadOnlySpan<int> cuts)
    {
        var parts = new List<byte[]>(cuts.Length + 1);
        int from = 0;
        foreach (int cut in cuts)
        {
            parts.Add(bytes[from..cut].ToArray());
            from = cut;
        }
        parts.Add(bytes[from..].ToArray());
        return Join(parts);
    }

    /// <summary>One byte a segment, with an empty segment in between here and there: pipes have them too.</summary>
    public static ReadOnlySequence<byte> ByteWise(ReadOnlySpan<byte> bytes)
    {
        var parts = new List<byte[]>(bytes.Length + bytes.Length / 5);
        for (int i = 0; i < bytes.Length; i++)
        {
            if (i % 5 == 3) parts.Add([]);
            parts.Add([bytes[i]]);
        }
        return Join(parts);
    }

    /// <summary>Segments of <paramref name="size"/> bytes, the last one shorter.</summary>
    public static ReadOnlySequence<byte> Chunks(ReadOnlySpan<byte> bytes, int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        var parts = new List<byte[]>();
        for (int from = 0; from < bytes.Length; from += size) parts.Add(bytes.Slice(from, Math.Min(size, bytes.Length - from)).ToArray());
        return Join(parts);
    }

    /// <summary>The segments given, over those very arrays.</summary>
    public static ReadOnlySequence<byte> Join(IReadOnlyList<byte[]> parts)
    {
        if (parts.Count == 0) return ReadOnlySequence<byte>.Empty;
        if (parts.Count == 1) return new(parts[0]);
        var first = new Segment(parts[0], null);
        var last = first;
        for (int i = 1; i < parts.Count; i++) last = new Segment(parts[i], last);
        return new(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] bytes, Segment? previous)
        {
            Memory = bytes;
            if (previous is null) return;
            RunningIndex = previous.RunningIndex + previous.Memory.Length;
            previous.Next = this;
        }
    }
}
