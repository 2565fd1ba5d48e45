using System.Buffers;
using System.IO.Pipelines;
using FastChat.Buffers;

namespace FastChat.Transport;

/// <summary>Connections inside one process, for tests and for embedders that want the protocol without a network.</summary>
public static class InMemoryTransport
{
    /// <summary>What one direction holds before a flush waits, in bytes, unless a caller says otherwise.</summary>
    public const int DefaultCapacity = 64 * 1024;

    /// <summary>Makes two connected ends: what one writes the other reads. Reads that waited go on on the thread pool, flushes on the thread that made room.</summary>
    /// <param name="capacity">
    /// Bytes that one direction holds: a flush waits while at least this many are unread, and completes once fewer are.
    /// </param>
    /// <param name="pool">Where every buffer comes from and returns to; <see cref="ArrayPool{T}.Shared"/> if null.</param>
    public static (TransportConnection Client, TransportConnection Server) CreatePair(int capacity = DefaultCapacity, ArrayPool<byte>? pool = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        pool ??= ArrayPool<byte>.Shared;
        // From the shared pool a pipe takes by itself, without an owner object for each block.
        MemoryPool<byte> blocks = ReferenceEquals(pool, ArrayPool<byte>.Shared) ? MemoryPool<byte>.Shared : new ArrayMemoryPool(pool);
        var link = new InMemoryLink(CreatePipe(), CreatePipe());
        return (new InMemoryConnection(link, isClient: true, pool), new InMemoryConnection(link, isClient: false, pool));

        Pipe CreatePipe() => new(new PipeOptions(blocks, new PipeContinuations(), PipeScheduler.Inline,
            pauseWriterThreshold: capacity, resumeWriterThreshold: capacity, useSynchronizationContext: false));
    }
}
