using System.Buffers;

namespace FastChat.Transport.Epoll;

/// <summary>One block of a receive that spans several. Segments are kept for reuse on the thread that frees them.</summary>
internal sealed class ReceiveSegment : ReadOnlySequenceSegment<byte>
{
    private const int MaxSpare = 64;

    [ThreadStatic]
    private static ReceiveSegment? Spare;
    [ThreadStatic]
    private static int SpareCount;

    public byte[] Array { get; private set; } = [];

    /// <summary>Where in the array this segment's memory starts.</summary>
    public int Offset { get; private set; }

    /// <summary>Whose piece the memory is; null where the array goes back to its pool.</summary>
    public ReceiveSlab? Slab { get; set; }

    public static ReceiveSegment Rent(byte[] array, int start, int end, long runningIndex)
    {
        var segment = Spare;
        if (segment is null) segment = new ReceiveSegment();
        else
        {
            Spare = (ReceiveSegment?)segment.Next;
            SpareCount--;
        }
        segment.Array = array;
        segment.Offset = start;
        segment.Memory = array.AsMemory(start, end - start);
        segment.RunningIndex = runningIndex;
        segment.Next = null;
        return segment;
    }

    /// <summary>More bytes came into this block: it now reaches to <paramref name="end"/> of its array.</summary>
    public void Fill(int end) => Memory = Array.AsMemory(Offset, end - Offset);

    /// <summary>The bytes are now at the start of another array.</summary>
    public void Move(byte[] array, int length)
    {
        Array = array;
        Offset = 0;
        Memory = array.AsMemory(0, length);
    }

    public ReceiveSegment Append(ReceiveSegment next)
    {
        Next = next;
        return next;
    }

    public void Free()
    {
        Array = [];
        Slab = null;
        Memory = default;
        Next = null;
        if (SpareCount >= MaxSpare) return;
        Next = Spare;
        Spare = this;
        SpareCount++;
    }
}
