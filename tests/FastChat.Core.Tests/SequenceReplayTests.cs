using System.Buffers;
using FastChat.TestKit;

namespace FastChat.Core.Tests;

public sealed class SequenceReplayTests
{
    private static readonly byte[] Bytes = [.. Enumerable.Range(1, 12).Select(i => (byte)i)];

    [Fact]
    public void Cuts_are_the_same_bytes_whole_split_at_every_index_and_byte_by_byte()
    {
        var cuts = SequenceReplay.Cuts(Bytes).ToList();
        Assert.Equal(1 + (Bytes.Length - 1) + 1, cuts.Count);
        Assert.All(cuts, cut => Assert.Equal(Bytes, cut.Bytes.ToArray()));
        Assert.True(cuts[0].Bytes.IsSingleSegment);
        for (int at = 1; at < Bytes.Length; at++) Assert.Equal(at, cuts[at].Bytes.FirstSpan.Length);
        Assert.All(Segments(cuts[^1].Bytes), segment => Assert.InRange(segment.Length, 0, 1));
    }

    [Fact]
    public void Prefixes_grow_by_one_byte_and_stop_before_the_whole()
    {
        foreach (bool byteWise in new[] { false, true })
        {
            var prefixes = SequenceReplay.Prefixes(Bytes, byteWise).ToList();
            Assert.Equal(Bytes.Length, prefixes.Count);
            for (int length = 0; length < Bytes.Length; length++) Assert.Equal(Bytes[..length], prefixes[length].Bytes.ToArray());
        }
    }

    [Fact]
    public void Chosen_cuts_may_leave_empty_segments()
    {
        var sequence = SequenceReplay.SplitAt(Bytes, 0, 3, 3, 7);
        Assert.Equal([0, 3, 0, 4, 5], Segments(sequence).Select(s => s.Length));
        Assert.Equal(Bytes, sequence.ToArray());
        Assert.Equal([5, 5, 2], Segments(SequenceReplay.Chunks(Bytes, 5)).Select(s => s.Length));
    }

    private static List<ReadOnlyMemory<byte>> Segments(ReadOnlySequence<byte> sequence)
    {
        var all = new List<ReadOnlyMemory<byte>>();
        foreach (var segment in sequence) all.Add(segment);
        return all;
    }
}
