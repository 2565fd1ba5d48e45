using System.Buffers;

namespace FastChat.Buffers;

/// <summary>A queue of bytes in rented blocks: written at the back through <see cref="GetMemory"/> and <see cref="Advance"/>, consumed at the front.</summary>
/// <remarks>Holds no block while it is empty and nothing is asked for. Not thread-safe.</remarks>
internal sealed class BufferChain(ArrayPool<byte> pool)
{
    /// <summary>The size of the first block of a chain; the next ones grow by four up to <see cref="MaxBlock"/>.</summary>
    public const int MinBlock = 4 * 1024;

    public const int MaxBlock = 64 * 1024;

    private BufferSegment? _head;
    private BufferSegment? _tail;
    private int _headStart;

    /// <summary>Bytes written and not yet consumed.</summary>
    public long Length { get; private set; }

    public bool IsEmpty => Length == 0;

    /// <summary>Whether all bytes lie in one block, as <see cref="FirstSegment"/>.</summary>
    public bool IsSingleBlock => ReferenceEquals(_head, _tail);

    /// <summary>The bytes of the first block; empty where there is none.</summary>
    public ArraySegment<byte> FirstSegment => _head is null ? default : new(_head.Array, _headStart, _head.End - _headStart);

    /// <summary>What is written; valid until the chain is changed.</summary>
    public ReadOnlySequence<byte> Sequence =>
        Length == 0 ? ReadOnlySequence<byte>.Empty : new(_head!, _headStart, _tail!, _tail!.End);

    /// <summary>The first block, for positions; null while there is none.</summary>
    internal BufferSegment? Head => _head;

    internal int HeadStart => _headStart;

    internal BufferSegment? Tail => _tail;

    /// <summary>Room at the back, of at least <paramref name="sizeHint"/> bytes and never empty.</summary>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        if (_tail is { } tail && tail.Free >= Math.Max(1, sizeHint)) return tail.FreeMemory;
        int next = _tail is null ? MinBlock : (int)Math.Min((long)_tail.Array.Length * 4, MaxBlock);
        return AddBlock(Math.Max(sizeHint, next)).FreeMemory;
    }

    /// <summary>Adds an empty block at the back although the last one has room.</summary>
    internal BufferSegment AddBlock(int size) => Link(BufferSegment.Create(pool.Rent(size), 0, _tail?.EndIndex ?? 0));

    /// <summary>Commits bytes written to what <see cref="GetMemory"/> gave.</summary>
    public void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (bytes == 0) return;
        if (_tail is null || bytes > _tail.Free) throw new InvalidOperationException("Cannot advance past the end of the memory given out.");
        _tail.Commit(bytes);
        Length += bytes;
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var room = GetMemory().Span;
            int n = Math.Min(room.Length, bytes.Length);
            bytes[..n].CopyTo(room);
            Advance(n);
            bytes = bytes[n..];
        }
    }

    /// <summary>Puts a rented block, which this chain then owns, at the back.</summary>
    public void Append(byte[] rented, int count)
    {
        Link(BufferSegment.Create(rented, count, _tail?.EndIndex ?? 0));
        Length += count;
    }

    /// <summary>Takes all of <paramref name="other"/>'s blocks to the back of this chain, without copying; both have the same pool.</summary>
    public void Append(BufferChain other)
    {
        if (other._head is null) return;
        if (_head is null) _headStart = other._headStart;
        else if (other._headStart != 0) throw new InvalidOperationException("A chain that is partly consumed cannot follow another.");
        for (var segment = other._head; segment is not null; segment = segment.NextSegment)
        {
            segment.Rebase(_tail?.EndIndex ?? 0);
            Link(segment);
        }
        Length += other.Length;
        other._head = other._tail = null;
        other._headStart = 0;
        other.Length = 0;
    }

    /// <summary>Drops bytes at the front and returns the blocks they emptied.</summary>
    public void Consume(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, Length);
        Length -= bytes;
        if (Length == 0)
        {
            Clear();
            return;
        }
        while (bytes >= _head!.End - _headStart)
        {
            bytes -= _head.End - _headStart;
            DropHead();
        }
        _headStart += (int)bytes;
    }

    /// <summary>Moves bytes from the front into <paramref name="destination"/>; says how many.</summary>
    public int Read(Span<byte> destination)
    {
        int read = 0;
        while (read < destination.Length && Length > 0)
        {
            var block = FirstSegment.AsSpan();
            int n = Math.Min(block.Length, destination.Length - read);
            block[..n].CopyTo(destination[read..]);
            Consume(n);
            read += n;
        }
        return read;
    }

    /// <summary>Takes the first block with bytes off the chain; the caller returns it to the pool. The chain is not empty.</summary>
    public ArraySegment<byte> TakeFirst()
    {
        while (_head!.End == _headStart) DropHead();
        var bytes = FirstSegment;
        var head = _head;
        _head = head.NextSegment;
        if (_head is null) _tail = null;
        _headStart = 0;
        Length -= bytes.Count;
        head.Return(null);
        return bytes;
    }

    /// <summary>Lists the blocks' bytes from the front, at most <paramref name="max"/> of them; says whether that is all.</summary>
    public bool Gather(List<ArraySegment<byte>> into, int max)
    {
        int start = _headStart;
        for (var segment = _head; segment is not null; segment = segment.NextSegment, start = 0)
        {
            if (segment.End == start) continue;
            if (into.Count == max) return false;
            into.Add(new(segment.Array, start, segment.End - start));
        }
        return true;
    }

    /// <summary>Drops everything and returns every block.</summary>
    public void Clear()
    {
        while (_head is not null) DropHead();
        Length = 0;
    }

    /// <summary>Returns the last block if nothing was written to it.</summary>
    public void DropEmptyTail()
    {
        if (_tail is not { End: 0 } tail) return;
        BufferSegment? previous = null;
        for (var segment = _head; segment != tail; segment = segment!.NextSegment) previous = segment;
        if (previous is null) _head = null;
        else previous.NextSegment = null;
        _tail = previous;
        tail.Return(pool);
    }

    private BufferSegment Link(BufferSegment segment)
    {
        if (_tail is null) _head = segment;
        else _tail.NextSegment = segment;
        return _tail = segment;
    }

    private void DropHead()
    {
        var head = _head!;
        _head = head.NextSegment;
        if (_head is null) _tail = null;
        _headStart = 0;
        head.Return(pool);
    }
}
