using System.Buffers;
using System.Text.Json;

namespace FastChat.Dispatch;

/// <summary>Finds the <c>type</c> of a JSON object without building a document. Stateless; allocates nothing for well-formed input.</summary>
public static class EnvelopeReader
{
    /// <summary>
    /// Reads the whole message once, so that what comes after this may rely on its being one valid JSON object within the limits.
    /// <c>type</c> may stand anywhere in the top-level object; a <c>type</c> further down is somebody else's.
    /// </summary>
    /// <param name="message">The received bytes, in as many segments as they came. Not kept.</param>
    /// <param name="limits">Size and depth.</param>
    /// <param name="envelope">The type; of kind <see cref="EnvelopeKind.None"/> unless the result is <see cref="EnvelopeError.None"/>.</param>
    public static EnvelopeError Read(in ReadOnlySequence<byte> message, EnvelopeLimits limits, out Envelope envelope)
    {
        ArgumentNullException.ThrowIfNull(limits);
        envelope = default;
        if (message.Length > limits.MaxBytes)
            return EnvelopeError.TooLarge;
        // One level more than allowed, so that what is too deep is seen here as a token and not as an exception.
        var reader = new Utf8JsonReader(message, new JsonReaderOptions { MaxDepth = limits.MaxDepth + 1 });
        var found = default(Envelope);
        try
        {
            var error = Scan(ref reader, limits.MaxDepth, ref found);
            if (error == EnvelopeError.None)
                envelope = found;
            return error;
        }
        catch (JsonException)
        {
            return EnvelopeError.Malformed;
        }
        catch (InvalidOperationException)
        {
            // Utf8JsonReader's word for bytes that are not UTF-8, and for escaped halves of a surrogate pair.
            return EnvelopeError.Malformed;
        }
    }

    private static EnvelopeError Scan(ref Utf8JsonReader reader, int maxDepth, ref Envelope envelope)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return EnvelopeError.NotAnObject;
        // A wrong type is reported only if the rest is JSON: of two mistakes the more basic one is named.
        var error = EnvelopeError.MissingType;
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
            {
                if (reader.CurrentDepth >= maxDepth)
                    return EnvelopeError.TooDeep;
            }
            else if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 1 && reader.ValueTextEquals("type"u8))
            {
                reader.Read();
                error = error == EnvelopeError.MissingType ? ReadType(ref reader, ref envelope) : EnvelopeError.DuplicateType;
                if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray && reader.CurrentDepth >= maxDepth)
                    return EnvelopeError.TooDeep;
            }
        }
        return error;
    }

    private static EnvelopeError ReadType(ref Utf8JsonReader reader, ref Envelope envelope)
    {
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out int code))
        {
            envelope = Envelope.FromCode(code);
            return EnvelopeError.None;
        }
        if (reader.TokenType != JsonTokenType.String)
            return EnvelopeError.InvalidType;

        // An escape takes at most six bytes for one, so a longer token cannot be a name of MaxNameBytes.
        const int longest = Envelope.MaxNameBytes * 6;
        long length = reader.HasValueSequence ? reader.ValueSequence.Length : reader.ValueSpan.Length;
        if (length > longest)
            return EnvelopeError.UnknownType;
        Span<byte> name = stackalloc byte[longest];
        int written = reader.CopyString(name);
        if (written > Envelope.MaxNameBytes)
            return EnvelopeError.UnknownType;
        envelope = Envelope.FromName(name[..written]);
        return EnvelopeError.None;
    }
}
