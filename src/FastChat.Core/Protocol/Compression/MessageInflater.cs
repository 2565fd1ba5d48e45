using FastChat.Buffers;

namespace FastChat.Protocol.Compression;

/// <summary>What became of a piece of a compressed message.</summary>
internal enum InflateStatus
{
    /// <summary>Inflated; at the end of a message: the message is whole.</summary>
    Ok,
    /// <summary>The message would exceed the limit; nothing beyond the limit was kept. Close with 1009.</summary>
    TooBig,
    /// <summary>No deflate stream, or one that is cut off. Close with 1007.</summary>
    InvalidData,
}

/// <summary>
/// Inflates the peer's compressed messages (RFC 7692 section 7.2.2), in pieces as they come. Holds no native state while no message is under
/// way, unless the peer keeps its window. Not thread-safe. After a status other than <see cref="InflateStatus.Ok"/> the connection is to be
/// failed: every further call gives that status again.
/// </summary>
internal sealed class MessageInflater(CompressionPool pool, int windowBits, bool keepsWindow) : IDisposable
{
    private const int SmallestStep = 256;
    private const int LargestStep = 1 << 20;

    private Inflater? _inflater;
    private InflateStatus _status;
    private bool _hasPayload;
    private bool _streamEnded;

    /// <summary>
    /// What section 7.2.2 has the receiver append, and a second empty block behind it. A message that stops where it should leaves both
    /// without output; one that is cut off takes some of them for data. Where the window is not kept the second block is a final
    /// one, so that the stream must end on the spot. (Where it is kept, a cut through a block's table of codes shows with the next message.)
    /// </summary>
    private static ReadOnlySpan<byte> TailKeeping => [0x00, 0x00, 0xff, 0xff, 0x00, 0x00, 0x00, 0xff, 0xff];
    private static ReadOnlySpan<byte> TailEnding => [0x00, 0x00, 0xff, 0xff, 0x01, 0x00, 0x00, 0xff, 0xff];

    /// <summary>
    /// Inflates one piece and appends what it yields to <paramref name="output"/>, whose <see cref="PooledByteBuffer.MaxLength"/> is the limit of
    /// the message: at most one octet more is ever produced. What is new after a call lies behind the length it had before.
    /// </summary>
    /// <param name="compressed">The unmasked payload of a frame, or a part of one; may be empty.</param>
    /// <param name="endOfMessage">This is the message's last piece.</param>
    /// <param name="output">Where the message is assembled; empty at its beginning.</param>
    /// <exception cref="InsufficientMemoryException">There is no native memory for a decompressor.</exception>
    public InflateStatus Append(ReadOnlySpan<byte> compressed, bool endOfMessage, PooledByteBuffer output)
    {
        if (_status != InflateStatus.Ok) return _status;
        if (!compressed.IsEmpty) _status = Inflate(compressed, output);
        if (_status == InflateStatus.Ok && endOfMessage) _status = End();
        if (_status != InflateStatus.Ok || (endOfMessage && !keepsWindow)) Release();
        return _status;
    }

    /// <summary>Gives the native state back.</summary>
    public void Dispose()
    {
        if (_status == InflateStatus.Ok) _status = InflateStatus.InvalidData;
        Release();
    }

    private InflateStatus Inflate(ReadOnlySpan<byte> input, PooledByteBuffer output)
    {
        _hasPayload = true;
        _inflater ??= pool.RentInflater(windowBits);
        Span<byte> overflow = stackalloc byte[1];
        while (true)
        {
            if (_streamEnded)
            {
                // Data after a block with BFINAL, be it of the same message (section 7.2.3.4) or of the next: a new stream.
                if (input.IsEmpty) return InflateStatus.Ok;
                _inflater.Reset(windowBits);
                _streamEnded = false;
            }
            bool atLimit = output.Remaining == 0;
            Span<byte> room = atLimit ? overflow : RoomFor(input.Length, output);
            int before = input.Length;
            InflateStep step = _inflater.Inflate(ref input, room, out int written);
            if (step == InflateStep.Invalid) return InflateStatus.InvalidData;
            if (atLimit && written > 0) return InflateStatus.TooBig;
            output.Advance(written);
            if (step == InflateStep.End) _streamEnded = true;
            else if (written < room.Length)
            {
                // zlib stops short of the end of its room only for want of input; the rest would be a fault of its own.
                if (input.IsEmpty) return InflateStatus.Ok;
                if (written == 0 && input.Length == before) return InflateStatus.InvalidData;
            }
        }
    }

    private static Span<byte> RoomFor(int compressed, PooledByteBuffer output)
    {
        if (output.Length < output.Capacity) return output.GetSpan();
        return output.GetSpan(Math.Min(output.Remaining, Math.Clamp(compressed, SmallestStep / 2, LargestStep / 2) * 2));
    }

    private InflateStatus End()
    {
        // No payload at all is what a compressor leaves that had nothing to flush; it is as good as the octet 00.
        if (!_hasPayload) return InflateStatus.Ok;
        _hasPayload = false;
        // The last octet ended a block with BFINAL, and the empty block that should follow was left out: nothing is missing.
        if (_streamEnded) return InflateStatus.Ok;

        ReadOnlySpan<byte> tail = keepsWindow ? TailKeeping : TailEnding;
        Span<byte> nothing = stackalloc byte[1];
        InflateStep step = _inflater!.Inflate(ref tail, nothing, out int written);
        if (written > 0 || step == InflateStep.Invalid) return InflateStatus.InvalidData;
        if (step == InflateStep.More) return keepsWindow && tail.IsEmpty ? InflateStatus.Ok : InflateStatus.InvalidData;
        // Ended by the tail's second block, or by its first whose BFINAL was in the payload.
        _streamEnded = true;
        return tail.Length is 0 or 5 ? InflateStatus.Ok : InflateStatus.InvalidData;
    }

    private void Release()
    {
        if (_inflater is { } inflater) pool.Return(inflater);
        _inflater = null;
        _streamEnded = false;
    }
}
