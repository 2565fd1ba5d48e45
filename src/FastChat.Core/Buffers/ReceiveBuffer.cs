using System.Buffers;
using System.IO.Pipelines;

namespace FastChat.Buffers;

/// <summary>
/// The receiving end of a transport: blocks that grow while reads fill them, seen as one <see cref="ReadOnlySequence{T}"/>, with the
/// consumed and examined marks of a <see cref="PipeReader"/>. Holds no block once everything is consumed.
/// </summary>
/// <remarks>
/// Not thread-safe. To fill: <see cref="GetMemory"/>, receive, <see cref="Commit"/>; neither touches bytes that were handed out, so what
/// <see cref="Sequence"/> gave stays valid until <see cref="AdvanceTo"/>. The block asked for follows the traffic: four times as much
/// after a read that filled the room, half as much after one that used less than a quarter.
/// </remarks>
internal sealed class ReceiveBuffer(ArrayPool<byte> pool)
{
    public const int MinBlock = 4 * 1024;

    public const int MaxBlock = 256 * 1024;

    // A rest this small is moved to the front of the next block, so that the parser finds a frame header in one piece; it costs less
    // than the slow path over two segments.
    private const int SmallRest = 256;

    // Less room than this at the end of a block is not worth a system call.
    private const int MinRoom = 1024;

    private readonly BufferChain _chain = new(pool);
    private int _blockSize = MinBlock;
    private int _offered;
    private long _examined;

    /// <summary>Bytes received and not yet consumed.</summary>
    public long Length => _chain.Length;

    /// <summary>Whether there are bytes that the reader has not looked at: a read returns without waiting.</summary>
    public bool HasUnexamined => _chain.Length > _examined;

    /// <summary>Whether the last read left room, so that the source is drained as far as it was known then.</summary>
    public bool LastReadLeftRoom { get; private set; } = true;

    /// <summary>What was received and not yet consumed; valid until <see cref="AdvanceTo"/> or <see cref="Clear"/>.</summary>
    public ReadOnlySequence<byte> Sequence => _chain.Sequence;

    /// <summary>Room for the next read, never empty.</summary>
    public Memory<byte> GetMemory()
    {
        var tail = _chain.Tail;
        if (tail is null || tail.Free < Math.Min(MinRoom, _blockSize / 4))
        {
            if (_chain.Length is > 0 and <= SmallRest) Move(_blockSize);
            else _chain.AddBlock(_blockSize);
        }
        var room = _chain.GetMemory();
        _offered = room.Length;
        return room;
    }

    /// <summary>Adds what was read into the memory of <see cref="GetMemory"/>; 0 where the read found nothing.</summary>
    public void Commit(int bytes)
    {
        _chain.Advance(bytes);
        if (bytes == 0) _chain.DropEmptyTail();
        Adapt(bytes);
    }

    /// <summary>A block for a read that goes on beside the use of this buffer, from any thread; <see cref="CommitBlock"/> or <see cref="ReturnBlock"/> takes it back.</summary>
    public byte[] RentBlock() => pool.Rent(_blockSize);

    public void ReturnBlock(byte[] block) => pool.Return(block);

    /// <summary>Adds the first <paramref name="bytes"/> of a block from <see cref="RentBlock"/>, which is this buffer's again.</summary>
    public void CommitBlock(byte[] block, int bytes)
    {
        _offered = block.Length;
        if (bytes > 0 && (_chain.Tail is not { } tail || tail.Free < bytes))
        {
            _chain.Append(block, bytes);
        }
        else
        {
            // Into the room there is, or a peer that sends byte by byte would have us hold a block for each.
            _chain.Write(block.AsSpan(0, bytes));
            pool.Return(block);
        }
        Adapt(bytes);
    }

    /// <summary>As <see cref="PipeReader.AdvanceTo(SequencePosition, SequencePosition)"/>, for positions of the last <see cref="Sequence"/>.</summary>
    /// <exception cref="InvalidOperationException">A position lies outside what was handed out, or examined before consumed.</exception>
    public void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_chain.IsEmpty) return;
        long consumedBytes = Offset(consumed);
        long examinedBytes = Offset(examined);
        if (examinedBytes < consumedBytes) throw new InvalidOperationException("The examined position lies before the consumed one.");
        _chain.Consume(consumedBytes);
        _examined = examinedBytes - consumedBytes;
    }

    /// <summary>
    /// Called before a wait: a small rest in a large block moves to a block of its size, so that a connection that waits in the middle
    /// of a frame holds little.
    /// </summary>
    public void Trim()
    {
        if (_chain.Length is > 0 and <= MinRoom && _chain.Tail!.Array.Length >= MinBlock) Move((int)_chain.Length);
    }

    /// <summary>Drops everything and returns every block.</summary>
    public void Clear()
    {
        _chain.Clear();
        _examined = 0;
    }

    private void Adapt(int bytes)
    {
        LastReadLeftRoom = bytes < _offered;
        if (bytes == _offered) _blockSize = Math.Min(_blockSize * 4, MaxBlock);
        else if (bytes > 0 && bytes < _blockSize / 4) _blockSize = Math.Max(_blockSize / 2, MinBlock);
    }

    private void Move(int blockSize)
    {
        int rest = (int)_chain.Length;
        var block = pool.Rent(Math.Max(blockSize, rest));
        _chain.Read(block.AsSpan(0, rest));
        _chain.Append(block, rest);
    }

    private long Offset(SequencePosition position)
    {
        // default(SequencePosition) is the start, as for the in-box readers.
        if (position.GetObject() is not BufferSegment segment)
            return position.GetObject() is null ? 0 : throw new InvalidOperationException("The position is not of this reader.");
        long offset = segment.RunningIndex + position.GetInteger() - _chain.Head!.RunningIndex - _chain.HeadStart;
        if (segment.Array.Length == 0 || offset < 0 || offset > _chain.Length)
            throw new InvalidOperationException("The position lies outside the bytes read.");
        return offset;
    }
}
