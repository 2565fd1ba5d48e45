using FastChat.Buffers;

namespace FastChat.Protocol.Compression;

/// <summary>
/// One native compressor of raw deflate. Not thread-safe. Costs 140 to 424 KiB of native memory (zlib-ng's hash table alone is 128 KiB;
/// <see cref="PerMessageDeflateOptions"/> has the figures), freed by <see cref="Dispose"/> or by the finalizer.
/// </summary>
internal sealed unsafe class Deflater : IDisposable
{
    private const int SmallestStep = 256;
    private const int LargestStep = 1 << 20;

    private NativeZLib.ZStream _stream;

    /// <summary>Makes a compressor that never refers back further than 2^<paramref name="windowBits"/> octets (8 to 15).</summary>
    /// <remarks>
    /// 8 is made with zlib's window of 9 bits: of its 512 octets zlib keeps 262 as look-ahead, so that it refers back 250 at most,
    /// which an inflater with a window of 256 follows. The tests hold every level to that.
    /// </remarks>
    /// <exception cref="InsufficientMemoryException">There is no native memory for it.</exception>
    public Deflater(int windowBits, int level, int memoryLevel)
    {
        int bits = Math.Max(windowBits, NativeZLib.SmallestCompressorWindowBits);
        ZResult result;
        fixed (NativeZLib.ZStream* stream = &_stream)
            result = NativeZLib.DeflateInit(stream, level, NativeZLib.Deflated, -bits, memoryLevel, NativeZLib.DefaultStrategy);
        if (result == ZResult.Ok) return;
        Dispose();
        throw result == ZResult.MemoryError
            ? new InsufficientMemoryException("No native memory for a compressor.")
            : new InvalidOperationException($"zlib refused a compressor with {bits} window bits, level {level}, memory level {memoryLevel}: {result}.");
    }

    /// <summary>Frees the native state where nobody did.</summary>
    ~Deflater() => Free();

    /// <summary>Compresses all of <paramref name="input"/>, appends what comes out, then flushes as told.</summary>
    /// <exception cref="InvalidOperationException"><paramref name="output"/> is full: the stream is torn, and this compressor disposed of.</exception>
    public void Compress(ReadOnlySpan<byte> input, ZFlush flush, PooledByteBuffer output)
    {
        ObjectDisposedException.ThrowIf(_stream.State is null, this);
        fixed (NativeZLib.ZStream* stream = &_stream)
        fixed (byte* source = input)
        {
            stream->NextIn = source;
            stream->AvailableIn = (uint)input.Length;
            do Step(stream, flush, output);
            while (stream->AvailableOut == 0);
        }
    }

    private void Step(NativeZLib.ZStream* stream, ZFlush flush, PooledByteBuffer output)
    {
        try
        {
            bool full = output.Length == output.Capacity;
            int step = full ? Math.Clamp((int)(stream->AvailableIn / 2), SmallestStep, LargestStep) : 1;
            Span<byte> room = output.GetSpan(Math.Max(1, Math.Min(step, output.Remaining)));
            ZResult result;
            fixed (byte* target = room)
            {
                stream->NextOut = target;
                stream->AvailableOut = (uint)room.Length;
                result = NativeZLib.Deflate(stream, flush);
            }
            // BufferError: the room ended exactly where the flush did, and there was nothing more to do.
            if (result is not (ZResult.Ok or ZResult.BufferError)) throw new InvalidOperationException($"zlib failed to compress: {result}.");
            output.Advance(room.Length - (int)stream->AvailableOut);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Frees the native state.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        fixed (NativeZLib.ZStream* stream = &_stream)
        {
            if (stream->State is not null) NativeZLib.DeflateEnd(stream);
            stream->State = null;
        }
    }
}
