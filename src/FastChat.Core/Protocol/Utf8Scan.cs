using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FastChat.Protocol;

/// <summary>
/// One pass over text for <see cref="Utf8Validator"/> and <see cref="MaskedUtf8"/>: unmasks it in place where asked to, and checks that it is UTF-8
/// while each vector is in a register.
/// </summary>
/// <remarks>
/// <see cref="Utf8Lanes"/> flags a mistake on the octet that makes it, and never one that a later piece could still mend; only what an unfinished
/// character at the very end already rules out is left to the scalar twin. A tail that is no whole vector is done as one that overlaps what came
/// before, as in <see cref="Masking"/>.
/// </remarks>
internal static class Utf8Scan
{
    /// <summary>Whether the pass unmasks: a type, so that each kind is compiled apart.</summary>
    internal interface IKind
    {
        static abstract bool Unmasks { get; }
    }

    internal readonly struct Plain : IKind
    {
        public static bool Unmasks => false;
    }

    internal readonly struct Masked : IKind
    {
        public static bool Unmasks => true;
    }

    private enum Verdict
    {
        Ascii,
        Valid,
        Invalid,
    }

    /// <summary>Appends the data, unmasked first where <typeparamref name="TKind"/> says so, to what the validator has seen.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool Run<TKind>(ref byte data, nuint length, uint key, SimdLevel level, ref Utf8Validator validator)
        where TKind : struct, IKind
    {
        if (!validator.IsComplete) return Resume<TKind>(ref data, length, key, level, ref validator);
        Verdict verdict;
        if (level == SimdLevel.Scalar || !Simd.Has128)
            return Scalar<TKind>(ref data, length, key, ref validator);
        if (length <= 16)
            return Short<TKind>(ref data, length, key, ref validator);
        if (level >= SimdLevel.Vector512 && Simd.Has512 && length > 64)
            verdict = Wide<Lanes512, Vector512<byte>, TKind>(ref data, length, key);
        else if (level >= SimdLevel.Vector256 && Simd.Has256 && length > 32)
            verdict = Wide<Lanes256, Vector256<byte>, TKind>(ref data, length, key);
        else
            verdict = Wide<Lanes128, Vector128<byte>, TKind>(ref data, length, key);
        return verdict == Verdict.Ascii
            || Conclude(ref data, length, Masking.Read<uint>(ref data, length - 4), verdict == Verdict.Valid, ref validator);
    }

    /// <summary>At most two vectors; <see cref="Long"/> does what lies between them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Verdict Wide<TLanes, TVector, TKind>(ref byte data, nuint length, uint key)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
        where TKind : struct, IKind
    {
        var end = length - TLanes.Width;
        var head = Load<TLanes, TVector, TKind>(ref data, 0, TLanes.Fill(key));
        var tail = Load<TLanes, TVector, TKind>(ref data, end, TLanes.Fill(Masking.Rotate(key, end)));
        var before = Before<TKind>(ref data, end, key);
        var verdict = end > TLanes.Width ? Long<TLanes, TVector, TKind>(ref data, end, key) : Verdict.Ascii;
        if (TKind.Unmasks)
        {
            TLanes.Store(head, ref data, 0);
            TLanes.Store(tail, ref data, end);
        }
        if (verdict == Verdict.Ascii && TLanes.IsAscii(TLanes.Or(head, tail))) return Verdict.Ascii;
        if (verdict == Verdict.Invalid) return Verdict.Invalid;
        var errors = TLanes.Or(
            Utf8Lanes.Errors<TLanes, TVector>(head, TLanes.Fill(0)),
            Utf8Lanes.Errors<TLanes, TVector>(tail, TLanes.Fill(before)));
        return TLanes.IsZero(errors) ? Verdict.Valid : Verdict.Invalid;
    }

    /// <summary>Everything from the first aligned vector, up to and perhaps beyond <paramref name="end"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Verdict Long<TLanes, TVector, TKind>(ref byte data, nuint end, uint key)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
        where TKind : struct, IKind
    {
        var at = Masking.ToAligned<TLanes, TVector>(ref data);
        var mask = TLanes.Fill(Masking.Rotate(key, at));
        var previous = TLanes.Fill(Before<TKind>(ref data, at, key));
        var errors = TLanes.Fill(0);
        var ascii = Verdict.Ascii;
        for (; at + 3 * TLanes.Width < end; at += 4 * TLanes.Width)
        {
            var a = Pass<TLanes, TVector, TKind>(ref data, at, mask);
            var b = Pass<TLanes, TVector, TKind>(ref data, at + TLanes.Width, mask);
            var c = Pass<TLanes, TVector, TKind>(ref data, at + 2 * TLanes.Width, mask);
            var d = Pass<TLanes, TVector, TKind>(ref data, at + 3 * TLanes.Width, mask);
            if (TLanes.IsAscii(TLanes.Or(TLanes.Or(a, b), TLanes.Or(c, d))))
            {
                errors = TLanes.Or(errors, Utf8Lanes.Unfinished<TLanes, TVector>(previous));
            }
            else
            {
                ascii = Verdict.Valid;
                errors = TLanes.Or(errors, TLanes.Or(
                    TLanes.Or(Utf8Lanes.Errors<TLanes, TVector>(a, previous), Utf8Lanes.Errors<TLanes, TVector>(b, a)),
                    TLanes.Or(Utf8Lanes.Errors<TLanes, TVector>(c, b), Utf8Lanes.Errors<TLanes, TVector>(d, c))));
            }
            previous = d;
        }
        for (; at < end; at += TLanes.Width)
        {
            var a = Pass<TLanes, TVector, TKind>(ref data, at, mask);
            if (TLanes.IsAscii(a))
            {
                errors = TLanes.Or(errors, Utf8Lanes.Unfinished<TLanes, TVector>(previous));
            }
            else
            {
                ascii = Verdict.Valid;
                errors = TLanes.Or(errors, Utf8Lanes.Errors<TLanes, TVector>(a, previous));
            }
            previous = a;
        }
        return TLanes.IsZero(errors) ? ascii : Verdict.Invalid;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Load<TLanes, TVector, TKind>(ref byte data, nuint at, TVector mask)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
        where TKind : struct, IKind => TKind.Unmasks ? TLanes.Xor(TLanes.Load(ref data, at), mask) : TLanes.Load(ref data, at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Pass<TLanes, TVector, TKind>(ref byte data, nuint at, TVector mask)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
        where TKind : struct, IKind
    {
        var vector = Load<TLanes, TVector, TKind>(ref data, at, mask);
        if (TKind.Unmasks) TLanes.Store(vector, ref data, at);
        return vector;
    }

    /// <summary>The 4 octets before <paramref name="at"/>, unmasked, in memory order; zeros stand for what lies before the data.</summary>
    /// <remarks>Every processor with these vectors is little-endian.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Before<TKind>(ref byte data, nuint at, uint key)
        where TKind : struct, IKind
    {
        if (at >= 4) return Masking.Read<uint>(ref data, at - 4) ^ (TKind.Unmasks ? Masking.Rotate(key, at) : 0);
        var first = Masking.Read<uint>(ref data, 0) ^ (TKind.Unmasks ? key : 0);
        return (uint)((ulong)first << (32 - (int)at * 8));
    }

    /// <summary>Lengths up to 16, as <see cref="Masking"/> does them; what is not ASCII ends a vector that begins with zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Short<TKind>(ref byte data, nuint length, uint key, ref Utf8Validator validator)
        where TKind : struct, IKind
    {
        if (length == 0) return true;
        ulong low = 0, high;
        if (length >= 8)
        {
            low = Masking.Read<ulong>(ref data, 0);
            high = Masking.Read<ulong>(ref data, length - 8);
            if (TKind.Unmasks)
            {
                var rotated = Masking.Rotate(key, length);
                low ^= key | (ulong)key << 32;
                high ^= rotated | (ulong)rotated << 32;
                Masking.Write(ref data, 0, low);
                Masking.Write(ref data, length - 8, high);
            }
            if (((low | high) & Utf8Lanes.HighBits) == 0) return true;
            low = low << (64 - (int)length * 4) << (64 - (int)length * 4); // in two halves: a shift by 64 would be one by 0
        }
        else if (length >= 4)
        {
            var head = Masking.Read<uint>(ref data, 0);
            var tail = Masking.Read<uint>(ref data, length - 4);
            if (TKind.Unmasks)
            {
                head ^= key;
                tail ^= Masking.Rotate(key, length);
                Masking.Write(ref data, 0, head);
                Masking.Write(ref data, length - 4, tail);
            }
            high = (ulong)tail << 32 | (uint)((ulong)head << (64 - (int)length * 8));
        }
        else
        {
            if (TKind.Unmasks) Masking.Tiny(ref data, ref data, length, key);
            // First, middle and last are the same octet where there are fewer than three.
            var middle = length >> 1;
            high = (ulong)data << (64 - (int)length * 8)
                | (ulong)Unsafe.Add(ref data, middle) << (64 - (int)(length - middle) * 8)
                | (ulong)Unsafe.Add(ref data, length - 1) << 56;
        }
        if (((low | high) & Utf8Lanes.HighBits) == 0) return true;
        var errors = Utf8Lanes.Errors<Lanes128, Vector128<byte>>(Vector128.Create(low, high).AsByte(), Vector128<byte>.Zero);
        return Conclude(ref data, length, (uint)(high >> 32), Lanes128.IsZero(errors), ref validator);
    }

    /// <summary>Goes on with a character that an earlier piece began, then with the rest.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Resume<TKind>(ref byte data, nuint length, uint key, SimdLevel level, ref Utf8Validator validator)
        where TKind : struct, IKind
    {
        var first = Math.Min(length, validator.Missing);
        ref var rest = ref Unsafe.Add(ref data, first);
        if (Scalar<TKind>(ref data, first, key, ref validator))
            return first == length || Run<TKind>(ref rest, length - first, Masking.Rotate(key, first), level, ref validator);
        if (TKind.Unmasks) Masking.Apply(MemoryMarshal.CreateSpan(ref rest, (int)(length - first)), key, (int)first, level);
        return false;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Scalar<TKind>(ref byte data, nuint length, uint key, ref Utf8Validator validator)
        where TKind : struct, IKind
    {
        var span = MemoryMarshal.CreateSpan(ref data, (int)length);
        if (TKind.Unmasks) Masking.Apply(span, key, 0, SimdLevel.Scalar);
        return validator.AppendScalar(span);
    }

    /// <summary>Remembers the character that the data end within, if they do.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Conclude(ref byte data, nuint length, uint last, bool valid, ref Utf8Validator validator)
    {
        if (!valid) return validator.Fail();
        var unfinished = last >= 0xC0000000 ? 1 : (byte)(last >> 16) >= 0xE0 ? 2 : (byte)(last >> 8) >= 0xF0 ? 3 : 0;
        return unfinished == 0
            || validator.AppendScalar(MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref data, length - (nuint)unfinished), unfinished));
    }
}
