using System.Runtime.CompilerServices;

namespace FastChat.Protocol;

/// <summary>
/// The common case of <see cref="MessageReader"/> at the price it deserves, and without its memory: a whole frame in one piece, neither
/// compressed nor a fragment nor a close.
/// </summary>
internal static class WholeFrame
{
    /// <summary>Reads the frame at the start, where a frame starts, unmasking it in place.</summary>
    /// <param name="input">What came.</param>
    /// <param name="role">Who reads.</param>
    /// <param name="maxLength">The longest payload to take, in octets; what is longer is for the reader to judge.</param>
    /// <param name="opcode">The frame's, where it is taken.</param>
    /// <param name="payloadStart">Where its payload starts.</param>
    /// <param name="payloadLength">Octets of it.</param>
    /// <returns>
    /// <see cref="ReadEvent.Error"/> for text that is not UTF-8; <see cref="ReadEvent.NeedMore"/> for everything that is not this case, with
    /// nothing taken or changed: go on with <see cref="MessageReader.Read"/>.
    /// </returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ReadEvent Read(Span<byte> input, EndpointRole role, int maxLength, out Opcode opcode, out int payloadStart, out int payloadLength)
    {
        payloadStart = payloadLength = 0;
        opcode = Opcode.Continuation;
        if (!FrameHeader.TryRead(input, out var frame)) return ReadEvent.NeedMore;
        // FIN and no reserved bits on text, binary, ping or pong; a length that is there and allowed; a mask as the role wants it.
        byte first = input[0];
        if (first is not (0x81 or 0x82 or 0x89 or 0x8A) || (ulong)frame.PayloadLength > (ulong)(input.Length - frame.Length)
            || frame.PayloadLength > maxLength || !frame.IsMinimal
            || frame.Masked != (role == EndpointRole.Server) || (first >= 0x89 && frame.PayloadLength > 125)) return ReadEvent.NeedMore;
        opcode = (Opcode)(first & 0x0F);
        payloadStart = frame.Length;
        payloadLength = (int)frame.PayloadLength;
        var data = input.Slice(payloadStart, payloadLength);
        if (opcode == Opcode.Text) return IsText(data, frame.MaskKey) ? ReadEvent.Message : ReadEvent.Error;
        if (frame.MaskKey != 0) Masking.Apply(data, frame.MaskKey, 0);
        return opcode switch { Opcode.Binary => ReadEvent.Message, Opcode.Ping => ReadEvent.Ping, _ => ReadEvent.Pong };
    }

    private static bool IsText(Span<byte> data, uint maskKey)
    {
        var text = default(Utf8Validator);
        return (maskKey == 0 ? text.Append(data) : MaskedUtf8.UnmaskAndValidate(data, maskKey, 0, ref text)) && text.IsComplete;
    }
}
