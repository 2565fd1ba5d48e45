using System.Buffers;

namespace FastChat.Buffers;

/// <summary>One rented block in a chain: bytes are committed at its end and it is returned whole.</summary>
/// <remarks>
/// The objects themselves are recycled through a small list of each thread, so that an idle connection holds neither a block nor its
/// segment and a busy one allocates none. A thread that returns what others take passes its list on when it is full.
/// </remarks>
internal sealed class BufferSegment : ReadOnlySequenceSegment<byte>
{
    private const int MaxSpare = 64;

    [ThreadStatic]
    private static BufferSegment? Spare;

    [ThreadStatic]
    private static int SpareCount;

    /// <summary>A full list, for the next thread that has none.</summary>
    private static BufferSegment? Surplus;

    private BufferSegment? _next;

    private BufferSegment()
    {
    }

    /// <summary>The whole block; empty once it was returned.</summary>
    public byte[] Array { get; private set; } = [];

    /// <summary>How many bytes of the block are committed.</summary>
    public int End { get; private set; }

    public int Free => Array.Length - End;

    public Memory<byte> FreeMemory => Array.AsMemory(End);

    /// <summary>The position of the first byte after this block, counted from the start of the stream.</summary>
    public long EndIndex => RunningIndex + End;

    public BufferSegment? NextSegment
    {
        get => _next;
        set
        {
            _next = value;
            Next = value;
        }
    }

    /// <summary>Takes ownership of <paramref name="array"/>, of which the first <paramref name="end"/> bytes are committed.</summary>
    public static BufferSegment Create(byte[] array, int end, long runningIndex)
    {
        var segment = Spare;
        if (segment is null && (segment = Interlocked.Exchange(ref Surplus, null)) is not null) SpareCount = MaxSpare;
        if (segment is null)
        {
            segment = new BufferSegment();
        }
        else
        {
            Spare = segment._next;
            SpareCount--;
            segment.NextSegment = null;
        }
        segment.Array = array;
        segment.RunningIndex = runningIndex;
        segment.End = end;
        segment.Memory = array.AsMemory(0, end);
        return segment;
    }

    public void Commit(int bytes)
    {
        End += bytes;
        Memory = Array.AsMemory(0, End);
    }

    /// <summary>Says where in the stream the block now begins.</summary>
    public void Rebase(long runningIndex) => RunningIndex = runningIndex;

    /// <summary>Returns the block to <paramref name="pool"/>, if not null; this object must not be used afterwards.</summary>
    public void Return(ArrayPool<byte>? pool)
    {
        var array = Array;
        Array = [];
        End = 0;
        Memory = default;
        if (SpareCount == MaxSpare && Interlocked.CompareExchange(ref Surplus, Spare, null) is null)
        {
            Spare = null;
            SpareCount = 0;
        }
        if (SpareCount < MaxSpare)
        {
            _next = Spare;
            Next = null;
            Spare = this;
            SpareCount++;
        }
        else
        {
            NextSegment = null;
        }
        pool?.Return(array);
    }
}
