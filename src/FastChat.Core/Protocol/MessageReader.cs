using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastChat.Buffers;
using FastChat.Protocol.Compression;

namespace FastChat.Protocol;

/// <summary>
/// Reads messages and control frames out of the bytes of a connection (RFC 6455 section 5, RFC 7692 section 7.2.2): rules, unmasking,
/// UTF-8, fragments, inflating. It knows no socket and no clock.
/// </summary>
/// <remarks>
/// Payloads are unmasked in place, in the memory that was passed in. A message in one uncompressed frame is handed out there, without a
/// copy, once it is complete; of one not yet complete the bytes stay in the input, already unmasked, and must be passed in again,
/// unchanged, with more behind them. Fragmented and compressed messages are assembled in a pooled buffer. Both are valid until the next
/// call. Not thread-safe. Memory held between calls: nothing, unless a fragmented or compressed message is half read.
/// </remarks>
internal sealed class MessageReader(EndpointRole role, long maxFrameLength, long maxMessageLength, ArrayPool<byte> pool, MessageInflater? inflater = null) : IDisposable
{
    private readonly int _maxFrameLength = (int)maxFrameLength;
    private readonly int _maxMessageLength = (int)maxMessageLength;
    private FrameHeader _frame;
    private long _seen; // octets of the current frame's payload already unmasked and checked
    private PooledByteBuffer? _assembly;
    private Utf8Validator _text;
    private Opcode _message; // of the message begun; Continuation where none is
    private bool _inFrame;
    private bool _compressed;
    private bool _lent; // the last message lies in _assembly

    /// <summary>The rule broken, after <see cref="ReadEvent.Error"/>.</summary>
    public FrameError Error { get; private set; }

    /// <summary>Text or binary, after <see cref="ReadEvent.Message"/>.</summary>
    public Opcode MessageOpcode { get; private set; }

    /// <summary>Whether nothing is half read, and no message lent: the next octet begins a frame, and <see cref="WholeFrame"/> may look at it first.</summary>
    public bool IsIdle => !_inFrame && !_lent && _message == Opcode.Continuation;

    /// <summary>Reads up to the next event.</summary>
    /// <param name="input">What came; on return what is left of it.</param>
    /// <param name="payload">The event's payload.</param>
    public ReadEvent Read(ref ReadOnlySequence<byte> input, out ReadOnlySequence<byte> payload)
    {
        if (_lent) Release();
        payload = default;
        while (true)
        {
            if (!_inFrame)
            {
                var found = BeginFrame(ref input);
                if (found != ReadEvent.Message) return found;
            }
            if (_frame.IsControl) return ReadControl(ref input, out payload);
            if (_frame.Fin && _frame.Opcode != Opcode.Continuation && !_compressed) return ReadInPlace(ref input, out payload);
            var result = Assemble(ref input, out payload);
            if (result != ReadEvent.NeedMore || _inFrame) return result;
        }
    }

    /// <summary>Takes back the memory of the last message, where it was assembled.</summary>
    public void Release()
    {
        if (!_lent) return;
        _lent = false;
        _assembly!.Clear();
    }

    /// <summary>Returns all buffers. The inflater belongs to whoever gave it.</summary>
    public void Dispose()
    {
        _lent = false;
        _assembly?.Clear();
    }

    /// <summary>Reads and checks a header; <see cref="ReadEvent.Message"/> means: go on with the payload.</summary>
    private ReadEvent BeginFrame(ref ReadOnlySequence<byte> input)
    {
        scoped ReadOnlySpan<byte> start = input.FirstSpan;
        Span<byte> copy = stackalloc byte[FrameHeader.MaxLength];
        if (start.Length < FrameHeader.MaxLength && !input.IsSingleSegment)
        {
            int length = (int)Math.Min(input.Length, FrameHeader.MaxLength);
            input.Slice(0, length).CopyTo(copy);
            start = copy[..length];
        }
        if (start.Length < 2) return ReadEvent.NeedMore;
        // The first octets are judged before the rest of the header has come.
        var error = FrameHeader.CheckStart(start[0], start[1], role, rsv1Allowed: inflater is not null);
        if (error != FrameError.None) return Fail(error);
        if (!FrameHeader.TryRead(start, out var frame)) return ReadEvent.NeedMore;
        error = Check(frame);
        if (error != FrameError.None) return Fail(error);
        if (!frame.IsControl && frame.Opcode != Opcode.Continuation)
        {
            _message = frame.Opcode;
            _compressed = frame.Rsv1;
        }
        _frame = frame;
        _seen = 0;
        _inFrame = true;
        input = input.Slice(frame.Length);
        return ReadEvent.Message;
    }

    private FrameError Check(in FrameHeader frame)
    {
        if (!frame.IsMinimal) return FrameError.LengthNotMinimal;
        if (frame.PayloadLength < 0) return FrameError.LengthNegative;
        if (frame.IsControl) return FrameError.None;
        // 5.4: fragments of one message are not interleaved with another's.
        if (frame.Opcode == Opcode.Continuation && _message == Opcode.Continuation) return FrameError.ContinuationWithoutStart;
        if (frame.Opcode != Opcode.Continuation && _message != Opcode.Continuation) return FrameError.MessageInsideMessage;
        if (frame.PayloadLength > _maxFrameLength) return FrameError.FrameTooBig;
        // What is compressed is held to the limit while it inflates.
        bool compressed = frame.Opcode == Opcode.Continuation ? _compressed : frame.Rsv1;
        long before = frame.Opcode == Opcode.Continuation ? _assembly?.Length ?? 0 : 0;
        return !compressed && frame.PayloadLength > _maxMessageLength - before ? FrameError.MessageTooBig : FrameError.None;
    }

    private ReadEvent ReadControl(ref ReadOnlySequence<byte> input, out ReadOnlySequence<byte> payload)
    {
        payload = default;
        if (input.Length < _frame.PayloadLength) return ReadEvent.NeedMore;
        payload = input.Slice(0, _frame.PayloadLength);
        int offset = 0;
        if (_frame.MaskKey != 0)
        {
            foreach (var piece in payload)
            {
                Masking.Apply(Writable(piece.Span), _frame.MaskKey, offset);
                offset += piece.Length;
            }
        }
        input = input.Slice(payload.End);
        _inFrame = false;
        return _frame.Opcode switch { Opcode.Ping => ReadEvent.Ping, Opcode.Pong => ReadEvent.Pong, _ => ReadEvent.Close };
    }

    private ReadEvent ReadInPlace(ref ReadOnlySequence<byte> input, out ReadOnlySequence<byte> payload)
    {
        payload = default;
        long available = Math.Min(input.Length, _frame.PayloadLength);
        if (available > _seen)
        {
            foreach (var piece in input.Slice(_seen, available - _seen))
            {
                if (!Take(Writable(piece.Span), _frame, _seen)) return Fail(FrameError.TextInvalid);
                _seen += piece.Length;
            }
        }
        if (_seen < _frame.PayloadLength) return ReadEvent.NeedMore;
        payload = input.Slice(0, _frame.PayloadLength);
        input = input.Slice(payload.End);
        return EndMessage();
    }

    private ReadEvent Assemble(ref ReadOnlySequence<byte> input, out ReadOnlySequence<byte> payload)
    {
        payload = default;
        var assembly = _assembly ??= new PooledByteBuffer(pool, _maxMessageLength);
        var part = input.Slice(0, Math.Min(input.Length, _frame.PayloadLength - _seen));
        foreach (var piece in part)
        {
            var data = Writable(piece.Span);
            if (!_compressed)
            {
                if (!Take(data, _frame, _seen)) return Fail(FrameError.TextInvalid);
                assembly.TryWrite(data); // it fits: the header was held to the limit
            }
            else
            {
                if (_frame.MaskKey != 0) Masking.Apply(data, _frame.MaskKey, (int)(_seen & 3));
                var error = Inflate(data, endOfMessage: false);
                if (error != FrameError.None) return Fail(error);
            }
            _seen += piece.Length;
        }
        input = input.Slice(part.End);
        if (_seen < _frame.PayloadLength) return ReadEvent.NeedMore;
        _inFrame = false;
        if (!_frame.Fin) return ReadEvent.NeedMore;
        if (_compressed && Inflate(default, endOfMessage: true) is var failure and not FrameError.None) return Fail(failure);
        payload = new ReadOnlySequence<byte>(assembly.WrittenMemory);
        _lent = true;
        return EndMessage();
    }

    private FrameError Inflate(ReadOnlySpan<byte> data, bool endOfMessage)
    {
        int before = _assembly!.Length;
        var status = inflater!.Append(data, endOfMessage, _assembly);
        // The text first: what is wrong with a message must not depend on how it arrived.
        if (_message == Opcode.Text && !_text.Append(_assembly.WrittenSpan[before..])) return FrameError.TextInvalid;
        return status switch { InflateStatus.Ok => FrameError.None, InflateStatus.TooBig => FrameError.MessageTooBig, _ => FrameError.DeflateInvalid };
    }

    private ReadEvent EndMessage()
    {
        bool complete = _text.IsComplete;
        _text.Reset();
        _inFrame = false;
        MessageOpcode = _message;
        _message = Opcode.Continuation;
        return complete ? ReadEvent.Message : Fail(FrameError.TextInvalid);
    }

    /// <summary>Unmasks, and validates what is text.</summary>
    private bool Take(Span<byte> data, in FrameHeader frame, long seen)
    {
        bool text = frame.Opcode == Opcode.Text || (frame.Opcode == Opcode.Continuation && _message == Opcode.Text);
        if (frame.MaskKey == 0) return !text || _text.Append(data);
        if (text) return MaskedUtf8.UnmaskAndValidate(data, frame.MaskKey, (int)(seen & 3), ref _text);
        Masking.Apply(data, frame.MaskKey, (int)(seen & 3));
        return true;
    }

    private ReadEvent Fail(FrameError error)
    {
        Error = error;
        return ReadEvent.Error;
    }

    /// <summary>The input is this connection's own receive buffer; pipes only type it as read-only.</summary>
    private static Span<byte> Writable(ReadOnlySpan<byte> span) => MemoryMarshal.CreateSpan(ref MemoryMarshal.GetReference(span), span.Length);
}
