using static FastChat.Protocol.Compression.PerMessageDeflateParameters;

namespace FastChat.Protocol.Compression;

/// <summary>How a negotiation ended.</summary>
internal enum NegotiationResult
{
    /// <summary>Without compression.</summary>
    Declined,
    /// <summary>With permessage-deflate.</summary>
    Agreed,
    /// <summary>
    /// For a server: the header does not parse, the handshake is to be refused (400). For a client: the answer fits no offer, the
    /// connection is to be failed (RFC 6455 section 9.1, RFC 7692 section 5.1).
    /// </summary>
    Invalid,
}

/// <summary>Negotiates permessage-deflate in either role (RFC 7692 sections 5.1 and 7.1), from header values to header value.</summary>
internal static class PerMessageDeflateNegotiation
{
    /// <summary>
    /// A server's choice: the first offer in the client's order that the options allow. Offers with unknown, repeated or invalid
    /// parameters and unknown extensions are passed over.
    /// </summary>
    /// <param name="offers">The values of all <c>Sec-WebSocket-Extensions</c> headers of the request, in order; none is fine.</param>
    /// <param name="options">Null where the server does not compress: the header is then checked for its form alone.</param>
    /// <param name="agreed">What was agreed, where something was.</param>
    /// <param name="answer">The value of the answer's <c>Sec-WebSocket-Extensions</c>; null where it is to have none.</param>
    public static NegotiationResult Accept(
        ReadOnlySpan<string> offers, PerMessageDeflateOptions? options, out PerMessageDeflateParameters agreed, out string? answer)
    {
        agreed = default;
        answer = null;
        bool usable = options is not null && NativeZLib.IsSupported;
        foreach (string value in offers)
        {
            var reader = new ExtensionListReader(value);
            while (reader.TryReadExtension(out ReadOnlySpan<char> name))
            {
                bool mine = name.SequenceEqual(Extension);
                if (TryReadParameters(ref reader, out Mentioned offer) && mine && usable && answer is null)
                    TryAccept(offer, options!, out agreed, out answer);
            }
            if (!reader.IsMalformed) continue;
            agreed = default;
            answer = null;
            return NegotiationResult.Invalid;
        }
        return answer is null ? NegotiationResult.Declined : NegotiationResult.Agreed;
    }

    /// <summary>A client's offer: the value of its <c>Sec-WebSocket-Extensions</c> header; null where it is to have none.</summary>
    public static string? Offer(PerMessageDeflateOptions? options)
    {
        if (options is null || !NativeZLib.IsSupported) return null;
        // client_max_window_bits is always there: it says that this client lets itself be told (section 7.1.2.2).
        return Format(
            !options.ServerContextTakeover,
            !options.ClientContextTakeover,
            options.ServerMaxWindowBits < 15 ? options.ServerMaxWindowBits : null,
            options.ClientMaxWindowBits < 15 ? options.ClientMaxWindowBits : 0);
    }

    /// <summary>A client's check of the answer to the offer that <see cref="Offer"/> makes of the same options.</summary>
    /// <param name="answers">The values of all <c>Sec-WebSocket-Extensions</c> headers of the answer, in order; none is fine.</param>
    /// <param name="options">What was offered; null where nothing was.</param>
    /// <param name="agreed">What was agreed, where something was.</param>
    public static NegotiationResult CheckAnswer(
        ReadOnlySpan<string> answers, PerMessageDeflateOptions? options, out PerMessageDeflateParameters agreed)
    {
        agreed = default;
        bool offered = options is not null && NativeZLib.IsSupported;
        var result = NegotiationResult.Declined;
        foreach (string value in answers)
        {
            var reader = new ExtensionListReader(value);
            while (reader.TryReadExtension(out ReadOnlySpan<char> name))
            {
                bool first = result == NegotiationResult.Declined;
                if (!first || !offered || !name.SequenceEqual(Extension) || !TryReadParameters(ref reader, out Mentioned answer)
                    || !Fits(answer, options!, out agreed))
                {
                    agreed = default;
                    return NegotiationResult.Invalid;
                }
                result = NegotiationResult.Agreed;
            }
            if (!reader.IsMalformed) continue;
            agreed = default;
            return NegotiationResult.Invalid;
        }
        return result;
    }

    /// <summary>The parameters that one offer or answer mentions; window bits of 0 stand for no value.</summary>
    private record struct Mentioned(bool ServerNoContextTakeover, bool ClientNoContextTakeover, int? ServerMaxWindowBits, int? ClientMaxWindowBits);

    private static bool TryAccept(in Mentioned offer, PerMessageDeflateOptions options, out PerMessageDeflateParameters agreed, out string? answer)
    {
        agreed = default;
        answer = null;
        // Without client_max_window_bits in the offer the answer must not have it, and the client's window is 15 (section 7.1.2.2).
        if (offer.ClientMaxWindowBits is null && options.ClientMaxWindowBits < 15) return false;
        agreed = new PerMessageDeflateParameters(
            offer.ServerNoContextTakeover || !options.ServerContextTakeover,
            offer.ClientNoContextTakeover || !options.ClientContextTakeover,
            Math.Min(offer.ServerMaxWindowBits ?? 15, options.ServerMaxWindowBits),
            Math.Min(offer.ClientMaxWindowBits is > 0 and int bits ? bits : 15, options.ClientMaxWindowBits));
        answer = Format(
            agreed.ServerNoContextTakeover,
            agreed.ClientNoContextTakeover,
            offer.ServerMaxWindowBits is not null || agreed.ServerMaxWindowBits < 15 ? agreed.ServerMaxWindowBits : null,
            agreed.ClientMaxWindowBits < 15 ? agreed.ClientMaxWindowBits : null);
        return true;
    }

    private static bool Fits(in Mentioned answer, PerMessageDeflateOptions options, out PerMessageDeflateParameters agreed)
    {
        agreed = new PerMessageDeflateParameters(
            answer.ServerNoContextTakeover,
            answer.ClientNoContextTakeover || !options.ClientContextTakeover,
            answer.ServerMaxWindowBits ?? 15,
            answer.ClientMaxWindowBits ?? options.ClientMaxWindowBits);
        // A server that accepts a demand repeats it (sections 7.1.1.1 and 7.1.2.1); in an answer a window always has a value (7.1.2.2).
        return (answer.ServerNoContextTakeover || options.ServerContextTakeover)
            && agreed.ServerMaxWindowBits <= options.ServerMaxWindowBits
            && answer.ClientMaxWindowBits is not 0
            && agreed.ClientMaxWindowBits <= options.ClientMaxWindowBits;
    }

    /// <summary>Reads an extension's parameters to their end; false if one is unknown, repeated or has a value that it must not have.</summary>
    private static bool TryReadParameters(ref ExtensionListReader reader, out Mentioned mentioned)
    {
        mentioned = default;
        bool valid = true;
        while (reader.TryReadParameter(out ReadOnlySpan<char> name, out ReadOnlySpan<char> value, out bool hasValue))
        {
            switch (name)
            {
                case ServerNoContextTakeoverName:
                    valid &= !hasValue && !mentioned.ServerNoContextTakeover;
                    mentioned.ServerNoContextTakeover = true;
                    break;
                case ClientNoContextTakeoverName:
                    valid &= !hasValue && !mentioned.ClientNoContextTakeover;
                    mentioned.ClientNoContextTakeover = true;
                    break;
                case ServerMaxWindowBitsName:
                    valid &= TryReadWindowBits(value, out int serverBits) && mentioned.ServerMaxWindowBits is null;
                    mentioned.ServerMaxWindowBits = serverBits;
                    break;
                case ClientMaxWindowBitsName:
                    int clientBits = 0;
                    valid &= mentioned.ClientMaxWindowBits is null && (!hasValue || TryReadWindowBits(value, out clientBits));
                    mentioned.ClientMaxWindowBits = clientBits;
                    break;
                default:
                    valid = false;
                    break;
            }
        }
        return valid && !reader.IsMalformed;
    }

    /// <summary>8 to 15, without a leading zero.</summary>
    private static bool TryReadWindowBits(ReadOnlySpan<char> value, out int bits)
    {
        bits = value switch
        {
            [>= '8' and <= '9' and char one] => one - '0',
            ['1', >= '0' and <= '5' and char ones] => 10 + ones - '0',
            _ => 0,
        };
        return bits != 0;
    }
}
