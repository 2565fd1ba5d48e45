using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace FastChat.Protocol;

/// <summary>The payload of a close frame (RFC 6455 sections 5.5.1 and 7.4): nothing, or a code and a UTF-8 reason.</summary>
internal static class CloseFrame
{
    /// <summary>A control frame's 125 octets less the code.</summary>
    public const int MaxReasonLength = 123;

    /// <summary>Whether an endpoint may send this code (section 7.4; 1012 to 1014 by the IANA registry).</summary>
    public static bool IsSendable(int code) => code is >= 1000 and <= 1014 and not (1004 or 1005 or 1006) or >= 3000 and <= 4999;

    /// <summary>Reads what the peer said; an empty payload is <see cref="CloseCode.NoStatusReceived"/>.</summary>
    public static FrameError Read(ReadOnlySpan<byte> payload, out CloseCode code, out string reason)
    {
        reason = "";
        code = CloseCode.NoStatusReceived;
        if (payload.IsEmpty) return FrameError.None;
        if (payload.Length == 1) return FrameError.CloseTooShort;
        int value = BinaryPrimitives.ReadUInt16BigEndian(payload);
        if (!IsSendable(value)) return FrameError.CloseCodeInvalid;
        if (!Utf8.IsValid(payload[2..])) return FrameError.CloseReasonInvalid;
        code = (CloseCode)value;
        if (payload.Length > 2) reason = Encoding.UTF8.GetString(payload[2..]);
        return FrameError.None;
    }

    /// <summary>Writes a payload; a reason too long is cut at a character's end. Codes that must not be sent make an empty payload.</summary>
    /// <returns>The octets written, at most 125.</returns>
    public static int Write(Span<byte> destination, CloseCode code, string? reason)
    {
        if (!IsSendable((int)code)) return 0;
        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)code);
        if (string.IsNullOrEmpty(reason)) return 2;
        // Utf8.FromUtf16 stops before a character that does not fit and replaces lone surrogates.
        Utf8.FromUtf16(reason, destination.Slice(2, MaxReasonLength), out _, out int written);
        return 2 + written;
    }
}
