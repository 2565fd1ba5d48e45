using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FastChat.Protocol;

/// <summary>
/// UTF-8's rules (RFC 3629 section 4) over vectors: the table look-up of Keiser and Lemire, "Validating UTF-8 in less than one instruction per
/// byte" (Software: Practice and Experience 51, 2021). What an octet and the one before it may not be together is found by three look-ups of
/// 16 entries, one per half octet that matters; each entry is a set of mistakes that it leaves open, and a mistake all three leave open is made.
/// </summary>
internal static class Utf8Lanes
{
    internal const ulong HighBits = 0x8080808080808080;

    private const byte Short = 1 << 0;       // a lead, then no continuation
    private const byte Long = 1 << 1;        // ASCII, then a continuation
    private const byte Overlong3 = 1 << 2;   // E0, then 80 to 9F
    private const byte Large = 1 << 3;       // F4, then 90 to BF; F5 to FF, then 90 to BF
    private const byte Surrogate = 1 << 4;   // ED, then A0 to BF
    private const byte Overlong2 = 1 << 5;   // C0 or C1, then a continuation
    private const byte Beyond = 1 << 6;      // F0 (overlong) or F5 to FF (too large), then 80 to 8F
    private const byte Continued = 1 << 7;   // two continuations: right only as the third or fourth octet of a character
    private const byte Any = Short | Long | Continued; // what the low half of the first octet has no say in

    private static Vector128<byte> FirstHigh
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create(
            Long, Long, Long, Long, Long, Long, Long, Long,
            Continued, Continued, Continued, Continued,
            Short | Overlong2, Short, Short | Overlong3 | Surrogate, Short | Large | Beyond);
    }

    private static Vector128<byte> FirstLow
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create(
            Any | Overlong3 | Overlong2 | Beyond, Any | Overlong2, Any, Any,
            Any | Large, Any | Large | Beyond, Any | Large | Beyond, Any | Large | Beyond,
            Any | Large | Beyond, Any | Large | Beyond, Any | Large | Beyond, Any | Large | Beyond,
            Any | Large | Beyond, Any | Large | Beyond | Surrogate, Any | Large | Beyond, Any | Large | Beyond);
    }

    private static Vector128<byte> SecondHigh
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create(
            Short, Short, Short, Short, Short, Short, Short, Short,
            Long | Overlong2 | Continued | Overlong3 | Beyond,
            Long | Overlong2 | Continued | Overlong3 | Large,
            Long | Overlong2 | Continued | Surrogate | Large,
            Long | Overlong2 | Continued | Surrogate | Large,
            Short, Short, Short, Short);
    }

    /// <summary>Not zero in each octet of <paramref name="vector"/> that cannot follow the 3 before it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TVector Errors<TLanes, TVector>(TVector vector, TVector previous)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        var carry = TLanes.Carry(vector, previous);
        var first = TLanes.Back1(vector, carry);
        var half = TLanes.Fill(0x0F0F0F0F);
        var pairs = TLanes.And(
            TLanes.And(
                TLanes.Lookup(TLanes.Repeat(FirstHigh), TLanes.And(TLanes.ShiftRight4(first), half)),
                TLanes.Lookup(TLanes.Repeat(FirstLow), TLanes.And(first, half))),
            TLanes.Lookup(TLanes.Repeat(SecondHigh), TLanes.And(TLanes.ShiftRight4(vector), half)));
        // Two continuations must stand exactly where a three-octet lead is two back or a four-octet lead three back: there the top bit cancels.
        var continued = TLanes.Or(
            TLanes.SubtractSaturate(TLanes.Back2(vector, carry), TLanes.Fill(0x60606060)),
            TLanes.SubtractSaturate(TLanes.Back3(vector, carry), TLanes.Fill(0x70707070)));
        return TLanes.Xor(pairs, TLanes.And(continued, TLanes.Fill(0x80808080)));
    }

    /// <summary>Not zero where the vector ends within a character: an error when ASCII follows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TVector Unfinished<TLanes, TVector>(TVector vector)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct => TLanes.SubtractSaturate(vector, TLanes.EndingWith(0xBFDFEFFF));
}
