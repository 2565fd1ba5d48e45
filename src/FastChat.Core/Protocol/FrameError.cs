namespace FastChat.Protocol;

/// <summary>Which rule the peer broke. Detail is for the log; on the wire only the close code of <see cref="FrameErrors.CloseCodeOf"/> is said.</summary>
internal enum FrameError : byte
{
    None,
    /// <summary>RFC 6455 5.2, RFC 7692 6: a reserved bit that no extension gives a meaning to here.</summary>
    ReservedBits,
    /// <summary>5.2: opcodes 3-7 and 11-15.</summary>
    ReservedOpcode,
    /// <summary>5.5: a control frame without FIN.</summary>
    FragmentedControl,
    /// <summary>5.5: a control frame over 125 octets.</summary>
    ControlTooLong,
    /// <summary>5.2: a length not in its shortest form.</summary>
    LengthNotMinimal,
    /// <summary>5.2: a 64-bit length with its most significant bit set.</summary>
    LengthNegative,
    /// <summary>5.1: a client's frame without a mask.</summary>
    MaskMissing,
    /// <summary>5.1: a server's frame with a mask.</summary>
    MaskUnexpected,
    /// <summary>5.4: a continuation without a message begun.</summary>
    ContinuationWithoutStart,
    /// <summary>5.4: a new message inside a fragmented one.</summary>
    MessageInsideMessage,
    /// <summary>5.5.1: a close payload of one octet.</summary>
    CloseTooShort,
    /// <summary>7.4: a close code that must not be sent.</summary>
    CloseCodeInvalid,
    /// <summary>5.5.1: a close reason that is not UTF-8.</summary>
    CloseReasonInvalid,
    /// <summary>8.1: text that is not UTF-8.</summary>
    TextInvalid,
    /// <summary>RFC 7692 7.2.2: data that do not inflate.</summary>
    DeflateInvalid,
    /// <summary>10.4: over this end's limit for a frame.</summary>
    FrameTooBig,
    /// <summary>10.4: over this end's limit for a message.</summary>
    MessageTooBig,
}

/// <summary>The one place where a broken rule becomes a close code.</summary>
internal static class FrameErrors
{
    public static CloseCode CloseCodeOf(FrameError error) => error switch
    {
        FrameError.None => CloseCode.None,
        FrameError.TextInvalid or FrameError.CloseReasonInvalid or FrameError.DeflateInvalid => CloseCode.InvalidPayloadData,
        FrameError.FrameTooBig or FrameError.MessageTooBig => CloseCode.MessageTooBig,
        _ => CloseCode.ProtocolError,
    };
}
