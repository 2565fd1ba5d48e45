using System.Buffers;

namespace FastChat.Buffers;

/// <summary>An <see cref="ArrayPool{T}"/> seen as a <see cref="MemoryPool{T}"/>, for the in-box types that only take the latter.</summary>
/// <remarks>Thread-safe as far as <paramref name="pool"/> is. Each rent allocates one small owner: not for hot paths.</remarks>
internal sealed class ArrayMemoryPool(ArrayPool<byte> pool) : MemoryPool<byte>
{
    private const int DefaultSize = 4096;

    public override int MaxBufferSize => Array.MaxLength;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1) => new Owner(pool, pool.Rent(minBufferSize < 0 ? DefaultSize : minBufferSize));

    protected override void Dispose(bool disposing)
    {
    }

    private sealed class Owner(ArrayPool<byte> pool, byte[] array) : IMemoryOwner<byte>
    {
        private byte[]? _array = array;

        public Memory<byte> Memory => _array ?? throw new ObjectDisposedException(nameof(IMemoryOwner<byte>));

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _array, null) is { } rented) pool.Return(rented);
        }
    }
}
