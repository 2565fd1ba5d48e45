using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastChat.Protocol;

/// <summary>
/// Checks that text is UTF-8 (RFC 3629 section 4) piece by piece, and fails at the first octet after which it can no longer be
/// (RFC 6455 section 8.1): also within a character that the next piece would have to complete. The default value is ready to use.
/// Not thread-safe: it belongs to one message at a time.
/// </summary>
internal struct Utf8Validator
{
    // What a character in mid-sequence still needs, and within which bounds its next octet must lie. After a failure the bounds admit nothing.
    private byte _missing;
    private byte _low;
    private byte _high;

    /// <summary>Whether the text so far ends with a whole character: what the end of a message requires.</summary>
    internal readonly bool IsComplete => _missing == 0;

    /// <summary>How many octets the character that the text so far ends within still needs: 0 to 3.</summary>
    internal readonly nuint Missing => _missing;

    /// <summary>Ready for the next message.</summary>
    internal void Reset() => this = default;

    /// <summary>
    /// Takes the next piece. False as soon as the text so far cannot be the beginning of UTF-8; from then on false until <see cref="Reset"/>.
    /// </summary>
    internal bool Append(ReadOnlySpan<byte> data) => Append(data, Simd.Best);

    /// <inheritdoc cref="Append(ReadOnlySpan{byte})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool Append(ReadOnlySpan<byte> data, SimdLevel level) =>
        Utf8Scan.Run<Utf8Scan.Plain>(ref MemoryMarshal.GetReference(data), (nuint)data.Length, 0, level, ref this);

    /// <summary>The portable path, and the twin that the vectors are held against.</summary>
    internal bool AppendScalar(ReadOnlySpan<byte> data)
    {
        var state = this;
        var valid = state._missing == 0 || state._low <= state._high;
        for (var at = 0; valid && at < data.Length;)
        {
            if (state._missing == 0 && data.Length - at >= 8 && (MemoryMarshal.Read<ulong>(data[at..]) & Utf8Lanes.HighBits) == 0)
                at += 8;
            else
                valid = state.Append(data[at++]);
        }
        this = state;
        return valid;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Append(byte octet)
    {
        if (_missing != 0)
        {
            if (octet < _low || octet > _high) return Fail();
            return Expect(_missing - 1, 0x80, 0xBF);
        }
        return octet switch
        {
            < 0x80 => true,
            < 0xC2 => Fail(), // a continuation that continues nothing, or C0 and C1: overlong
            < 0xE0 => Expect(1, 0x80, 0xBF),
            0xE0 => Expect(2, 0xA0, 0xBF), // below: overlong
            0xED => Expect(2, 0x80, 0x9F), // above: surrogates
            < 0xF0 => Expect(2, 0x80, 0xBF),
            0xF0 => Expect(3, 0x90, 0xBF), // below: overlong
            < 0xF4 => Expect(3, 0x80, 0xBF),
            0xF4 => Expect(3, 0x80, 0x8F), // above: beyond U+10FFFF
            _ => Fail(),
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Expect(int missing, byte low, byte high)
    {
        (_missing, _low, _high) = ((byte)missing, low, high);
        return true;
    }

    internal bool Fail()
    {
        (_missing, _low, _high) = (1, 0xFF, 0);
        return false;
    }
}
