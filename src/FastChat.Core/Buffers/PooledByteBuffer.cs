using System.Buffers;

namespace FastChat.Buffers;

/// <summary>
/// A growable run of contiguous bytes on one rented array: rents on the first write, doubles when full, never holds more than
/// <see cref="MaxLength"/> written bytes. Not thread-safe. Whoever owns it calls <see cref="Clear"/> (or <see cref="Dispose"/>, the same):
/// without content it holds no array, and it can be written to again.
/// </summary>
/// <param name="pool">Where arrays come from and go back to.</param>
/// <param name="maxLength">The most bytes that may be written, checked before an array is rented for them.</param>
internal sealed class PooledByteBuffer(ArrayPool<byte> pool, int maxLength = PooledByteBuffer.LargestLength) : IBufferWriter<byte>, IDisposable
{
    /// <summary>The longest array of bytes the runtime makes.</summary>
    public const int LargestLength = 0x7FFFFFC7;

    private const int SmallestRent = 256;

    private byte[]? _array;

    /// <summary>Where arrays come from.</summary>
    public ArrayPool<byte> Pool => pool;

    /// <summary>The most bytes that may be written.</summary>
    public int MaxLength { get; } =
        maxLength is >= 0 and <= LargestLength ? maxLength : throw new ArgumentOutOfRangeException(nameof(maxLength));

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes that may still be written before <see cref="MaxLength"/>.</summary>
    public int Remaining => MaxLength - Length;

    /// <summary>Bytes of the array now rented; 0 where there is none.</summary>
    public int Capacity => _array?.Length ?? 0;

    /// <summary>What was written. Valid until the next write or <see cref="Clear"/>.</summary>
    public ReadOnlyMemory<byte> WrittenMemory => _array.AsMemory(0, Length);

    /// <summary>What was written, to be changed in place. Valid until the next write or <see cref="Clear"/>.</summary>
    public Span<byte> WrittenSpan => _array.AsSpan(0, Length);

    /// <summary>Room for at least <paramref name="sizeHint"/> bytes (at least one), at most <see cref="Remaining"/>.</summary>
    /// <exception cref="InvalidOperationException">The hint is more than <see cref="Remaining"/>: ask that first.</exception>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _array.AsSpan(Length, Math.Min(_array!.Length - Length, Remaining));
    }

    /// <inheritdoc cref="GetSpan"/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _array.AsMemory(Length, Math.Min(_array!.Length - Length, Remaining));
    }

    /// <summary>Counts the first <paramref name="count"/> bytes of the last span or memory as written.</summary>
    /// <exception cref="ArgumentOutOfRangeException">More than was handed out.</exception>
    public void Advance(int count)
    {
        if ((uint)count > (uint)Math.Min(Capacity - Length, Remaining)) throw new ArgumentOutOfRangeException(nameof(count));
        Length += count;
    }

    /// <summary>Appends a copy, or changes nothing and returns false where that would exceed <see cref="MaxLength"/>.</summary>
    public bool TryWrite(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > Remaining) return false;
        if (bytes.IsEmpty) return true;
        bytes.CopyTo(GetSpan(bytes.Length));
        Length += bytes.Length;
        return true;
    }

    /// <summary>Forgets what was written after <paramref name="length"/> bytes; the array stays rented.</summary>
    public void Truncate(int length)
    {
        if ((uint)length > (uint)Length) throw new ArgumentOutOfRangeException(nameof(length));
        Length = length;
    }

    /// <summary>Forgets the content and gives the array back to the pool.</summary>
    public void Clear()
    {
        if (Detach(out _) is { } array) pool.Return(array);
    }

    /// <summary>Hands the array over, <paramref name="length"/> bytes of it written: the caller returns it to the pool. Null where nothing was rented.</summary>
    public byte[]? Detach(out int length)
    {
        (byte[]? array, length) = (_array, Length);
        (_array, Length) = (null, 0);
        return array;
    }

    /// <inheritdoc cref="Clear"/>
    public void Dispose() => Clear();

    private void Reserve(int sizeHint)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        int wanted = Math.Max(1, sizeHint);
        if (wanted > Remaining) throw new InvalidOperationException($"{wanted} more bytes would exceed the limit of {MaxLength}.");
        if (Capacity - Length >= wanted) return;
        long doubled = Math.Max(SmallestRent, Math.Max((long)Length + wanted, 2L * Capacity));
        byte[] larger = pool.Rent((int)Math.Min(doubled, MaxLength));
        _array.AsSpan(0, Length).CopyTo(larger);
        if (_array is { } old) pool.Return(old);
        _array = larger;
    }
}
