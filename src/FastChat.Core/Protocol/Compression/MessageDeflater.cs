using System.Buffers;
using FastChat.Buffers;

namespace FastChat.Protocol.Compression;

/// <summary>
/// Compresses messages (RFC 7692 section 7.2.1). Where no window is kept it borrows a shared compressor for the length of a call; else it has one
/// of its own from its first message on. Not thread-safe; where a window is kept, messages must be sent in the order in which they
/// were compressed, and each must be sent.
/// </summary>
internal sealed class MessageDeflater(CompressionPool pool, int windowBits, bool keepsWindow, int threshold) : IDisposable
{
    private const int TailLength = 4;
    private static ReadOnlySpan<byte> Tail => [0x00, 0x00, 0xff, 0xff];

    private Deflater? _own;
    private bool _disposed;
    private bool _inMessage; // a piece has been compressed that was not the last

    /// <summary>Whether messages may refer to those before them.</summary>
    public bool KeepsWindow => keepsWindow;

    /// <summary>No compressor of this connection refers back further than 2^this octets.</summary>
    public int WindowBits => windowBits;

    /// <summary>Messages of fewer octets are not compressed.</summary>
    public int Threshold => threshold;

    /// <summary>
    /// Appends the compressed payload of one message to <paramref name="output"/>, to be sent under RSV1; or leaves output as it was and
    /// returns false: send the message as it is. That is so for nothing at all (the octet 00 of section 7.2.3.6 would be more), below the
    /// <see cref="Threshold"/>, and, where no window is kept, for what does not get smaller. Where a window is kept such a message is sent
    /// compressed all the same, some octets longer, since the compressor has taken it in and may refer to it.
    /// </summary>
    /// <param name="payload">The message, whole.</param>
    /// <param name="output">Takes the compressed form; its limit must leave room for the payload and an eighth more.</param>
    /// <exception cref="InvalidOperationException">Output was too small. What was appended is good for nothing; where a window is kept, so is this.</exception>
    /// <exception cref="InsufficientMemoryException">There is no native memory for a compressor.</exception>
    public bool TryCompress(in ReadOnlySequence<byte> payload, PooledByteBuffer output)
    {
        if (payload.IsSingleSegment) return TryCompress(payload.FirstSpan, output);
        if (payload.Length < threshold || payload.IsEmpty) return false;
        int start = output.Length;
        Deflater deflater = Take();
        foreach (ReadOnlyMemory<byte> segment in payload)
            if (!segment.IsEmpty) deflater.Compress(segment.Span, ZFlush.None, output);
        deflater.Compress([], Flush, output);
        return Finish(deflater, payload.Length, output, start);
    }

    /// <inheritdoc cref="TryCompress(in ReadOnlySequence{byte}, PooledByteBuffer)"/>
    public bool TryCompress(ReadOnlySpan<byte> payload, PooledByteBuffer output)
    {
        if (payload.Length < threshold || payload.IsEmpty) return false;
        int start = output.Length;
        Deflater deflater = Take();
        deflater.Compress(payload, Flush, output);
        return Finish(deflater, payload.Length, output, start);
    }

    /// <summary>
    /// Compresses a piece of a message that goes out in fragments, and appends what can be sent of it: all but the four octets that end its
    /// flush, which come with the next piece or, at the end of the message, not at all (section 7.2.1). A message that was begun so must
    /// be ended so. Meanwhile this holds a compressor, also where no window is kept.
    /// </summary>
    public void Append(in ReadOnlySequence<byte> piece, bool endOfMessage, PooledByteBuffer output)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _own ??= pool.RentDeflater(windowBits);
        if (_inMessage) output.Write(Tail);
        foreach (ReadOnlyMemory<byte> segment in piece)
            if (!segment.IsEmpty) _own.Compress(segment.Span, ZFlush.None, output);
        // A sync flush right behind another adds nothing: then the tail just written is what is cut off again.
        _own.Compress([], endOfMessage ? Flush : ZFlush.Sync, output);
        output.Truncate(output.Length - TailLength);
        _inMessage = !endOfMessage;
        if (!endOfMessage || keepsWindow) return;
        pool.Return(_own, windowBits);
        _own = null;
    }

    /// <summary>Frees the connection's own compressor.</summary>
    public void Dispose()
    {
        _disposed = true;
        _own?.Dispose();
        _own = null;
    }

    private ZFlush Flush => keepsWindow ? ZFlush.Sync : ZFlush.Full;

    private Deflater Take()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return keepsWindow ? _own ??= pool.RentDeflater(windowBits) : pool.RentDeflater(windowBits);
    }

    private bool Finish(Deflater deflater, long payloadLength, PooledByteBuffer output, int start)
    {
        // Both flushes end with an empty stored block, whose last four octets 00 00 ff ff are not sent (section 7.2.1).
        output.Truncate(output.Length - TailLength);
        if (keepsWindow) return true;
        pool.Return(deflater, windowBits);
        if (output.Length - start < payloadLength) return true;
        output.Truncate(start);
        return false;
    }
}
