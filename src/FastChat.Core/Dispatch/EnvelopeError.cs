namespace FastChat.Dispatch;

/// <summary>Why a JSON message could not be routed. A value, never an exception: bad input belongs to the message, not to the connection.</summary>
public enum EnvelopeError
{
    /// <summary>No error.</summary>
    None,
    /// <summary>More bytes than <see cref="EnvelopeLimits.MaxBytes"/>.</summary>
    TooLarge,
    /// <summary>Not a JSON text (RFC 8259).</summary>
    Malformed,
    /// <summary>JSON, but no object at the top.</summary>
    NotAnObject,
    /// <summary>Nested deeper than <see cref="EnvelopeLimits.MaxDepth"/>.</summary>
    TooDeep,
    /// <summary>An object without <c>type</c>. Some protocols have a message that needs none.</summary>
    MissingType,
    /// <summary><c>type</c> is neither a string nor a whole number of 32 bits.</summary>
    InvalidType,
    /// <summary><c>type</c> stands there twice: readers would disagree about which one counts (RFC 8259 section 4).</summary>
    DuplicateType,
    /// <summary><c>type</c> is well formed, and nothing is mapped to it.</summary>
    UnknownType,
}
