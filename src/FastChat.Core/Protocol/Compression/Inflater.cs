namespace FastChat.Protocol.Compression;

/// <summary>How one step of an <see cref="Inflater"/> ended.</summary>
internal enum InflateStep
{
    /// <summary>It went on until input or room ran out.</summary>
    More,
    /// <summary>A block with BFINAL ended: reset before going on.</summary>
    End,
    /// <summary>This is no deflate stream.</summary>
    Invalid,
}

/// <summary>
/// One native decompressor of raw deflate. Not thread-safe. Costs 41 KiB of native memory (13 KiB of it touched until more than
/// a few hundred octets are inflated or with a window of 10 bits and less), freed by <see cref="Dispose"/> or by the finalizer.
/// </summary>
internal sealed unsafe class Inflater : IDisposable
{
    private NativeZLib.ZStream _stream;

    /// <summary>Makes a decompressor that follows references of up to 2^<paramref name="windowBits"/> octets (8 to 15).</summary>
    /// <exception cref="InsufficientMemoryException">There is no native memory for it.</exception>
    public Inflater(int windowBits)
    {
        ZResult result;
        fixed (NativeZLib.ZStream* stream = &_stream) result = NativeZLib.InflateInit(stream, -windowBits);
        if (result == ZResult.Ok) return;
        Dispose();
        throw result == ZResult.MemoryError
            ? new InsufficientMemoryException("No native memory for a decompressor.")
            : new InvalidOperationException($"zlib refused a decompressor with {windowBits} window bits: {result}.");
    }

    /// <summary>Frees the native state where nobody did.</summary>
    ~Inflater() => Free();

    /// <summary>Inflates until <paramref name="input"/> is used up or <paramref name="room"/> (never empty) is full, and moves input past what was used.</summary>
    /// <exception cref="InsufficientMemoryException">There is no native memory for the window.</exception>
    public InflateStep Inflate(ref ReadOnlySpan<byte> input, scoped Span<byte> room, out int written)
    {
        ObjectDisposedException.ThrowIf(_stream.State is null, this);
        ZResult result;
        fixed (NativeZLib.ZStream* stream = &_stream)
        fixed (byte* source = input)
        fixed (byte* target = room)
        {
            stream->NextIn = source;
            stream->AvailableIn = (uint)input.Length;
            stream->NextOut = target;
            stream->AvailableOut = (uint)room.Length;
            result = NativeZLib.Inflate(stream, ZFlush.Sync);
            input = input[(input.Length - (int)stream->AvailableIn)..];
            written = room.Length - (int)stream->AvailableOut;
        }
        return result switch
        {
            ZResult.Ok or ZResult.BufferError => InflateStep.More,
            ZResult.StreamEnd => InflateStep.End,
            ZResult.MemoryError => throw new InsufficientMemoryException("No native memory for a window."),
            _ => InflateStep.Invalid,
        };
    }

    /// <summary>Begins a new stream with an empty window of 2^<paramref name="windowBits"/> octets (8 to 15).</summary>
    public void Reset(int windowBits)
    {
        ObjectDisposedException.ThrowIf(_stream.State is null, this);
        fixed (NativeZLib.ZStream* stream = &_stream)
        {
            ZResult result = NativeZLib.InflateReset(stream, -windowBits);
            if (result != ZResult.Ok) throw new InvalidOperationException($"zlib failed to reset a decompressor: {result}.");
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
            if (stream->State is not null) NativeZLib.InflateEnd(stream);
            stream->State = null;
        }
    }
}
