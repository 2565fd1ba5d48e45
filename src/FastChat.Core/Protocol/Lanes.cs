using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace FastChat.Protocol;

/// <summary>
/// The operations that masking and UTF-8 validation need of a vector of octets. Each pass is written once against this and compiled once per
/// width: the implementations are structs, so the JIT specialises and inlines everything.
/// </summary>
/// <typeparam name="TVector">The vector.</typeparam>
internal interface ILanes<TVector>
    where TVector : struct
{
    static abstract nuint Width { get; }

    static abstract TVector Load(ref byte source, nuint at);

    static abstract void Store(TVector vector, ref byte destination, nuint at);

    /// <summary>The 4 octets of <paramref name="value"/>, in memory order, over and over.</summary>
    static abstract TVector Fill(uint value);

    /// <summary>The 16 octets over and over.</summary>
    static abstract TVector Repeat(Vector128<byte> octets);

    /// <summary>255 everywhere but in the last 4 octets.</summary>
    static abstract TVector EndingWith(uint value);

    static abstract TVector Xor(TVector a, TVector b);

    static abstract TVector Or(TVector a, TVector b);

    static abstract TVector And(TVector a, TVector b);

    static abstract TVector SubtractSaturate(TVector a, TVector b);

    /// <summary>Every octet shifted right by 4; bits that enter from the octet above are the caller's to cut off.</summary>
    static abstract TVector ShiftRight4(TVector vector);

    /// <summary>Looks each octet of <paramref name="indices"/> (0 to 15) up in a 16-octet table that was made with <see cref="Repeat"/>.</summary>
    static abstract TVector Lookup(TVector table, TVector indices);

    /// <summary>What <see cref="Back1"/> and its like want to know of the vector before.</summary>
    static abstract TVector Carry(TVector vector, TVector previous);

    /// <summary>The stream as it was one octet ago.</summary>
    static abstract TVector Back1(TVector vector, TVector carry);

    static abstract TVector Back2(TVector vector, TVector carry);

    static abstract TVector Back3(TVector vector, TVector carry);

    static abstract bool IsAscii(TVector vector);

    static abstract bool IsZero(TVector vector);
}

/// <summary>16 octets: SSSE3 or Arm's Advanced SIMD.</summary>
internal readonly struct Lanes128 : ILanes<Vector128<byte>>
{
    public static nuint Width => 16;

    public static Vector128<byte> Load(ref byte source, nuint at) => Vector128.LoadUnsafe(ref source, at);

    public static void Store(Vector128<byte> vector, ref byte destination, nuint at) => vector.StoreUnsafe(ref destination, at);

    public static Vector128<byte> Fill(uint value) => Vector128.Create(value).AsByte();

    public static Vector128<byte> Repeat(Vector128<byte> octets) => octets;

    public static Vector128<byte> EndingWith(uint value) => Vector128<uint>.AllBitsSet.WithElement(3, value).AsByte();

    public static Vector128<byte> Xor(Vector128<byte> a, Vector128<byte> b) => a ^ b;

    public static Vector128<byte> Or(Vector128<byte> a, Vector128<byte> b) => a | b;

    public static Vector128<byte> And(Vector128<byte> a, Vector128<byte> b) => a & b;

    public static Vector128<byte> SubtractSaturate(Vector128<byte> a, Vector128<byte> b) => Vector128.SubtractSaturate(a, b);

    public static Vector128<byte> ShiftRight4(Vector128<byte> vector) => (vector.AsUInt16() >>> 4).AsByte();

    public static Vector128<byte> Lookup(Vector128<byte> table, Vector128<byte> indices) => Vector128.ShuffleNative(table, indices);

    public static Vector128<byte> Carry(Vector128<byte> vector, Vector128<byte> previous) => previous;

    public static Vector128<byte> Back1(Vector128<byte> vector, Vector128<byte> carry) =>
        Ssse3.IsSupported ? Ssse3.AlignRight(vector, carry, 15) : AdvSimd.ExtractVector128(carry, vector, 15);

    public static Vector128<byte> Back2(Vector128<byte> vector, Vector128<byte> carry) =>
        Ssse3.IsSupported ? Ssse3.AlignRight(vector, carry, 14) : AdvSimd.ExtractVector128(carry, vector, 14);

    public static Vector128<byte> Back3(Vector128<byte> vector, Vector128<byte> carry) =>
        Ssse3.IsSupported ? Ssse3.AlignRight(vector, carry, 13) : AdvSimd.ExtractVector128(carry, vector, 13);

    public static bool IsAscii(Vector128<byte> vector) => (vector & Vector128.Create((byte)0x80)) == Vector128<byte>.Zero;

    public static bool IsZero(Vector128<byte> vector) => vector == Vector128<byte>.Zero;
}

/// <summary>32 octets: AVX2, whose shuffles stay within 16.</summary>
internal readonly struct Lanes256 : ILanes<Vector256<byte>>
{
    public static nuint Width => 32;

    public static Vector256<byte> Load(ref byte source, nuint at) => Vector256.LoadUnsafe(ref source, at);

    public static void Store(Vector256<byte> vector, ref byte destination, nuint at) => vector.StoreUnsafe(ref destination, at);

    public static Vector256<byte> Fill(uint value) => Vector256.Create(value).AsByte();

    public static Vector256<byte> Repeat(Vector128<byte> octets) => Vector256.Create(octets);

    public static Vector256<byte> EndingWith(uint value) => Vector256<uint>.AllBitsSet.WithElement(7, value).AsByte();

    public static Vector256<byte> Xor(Vector256<byte> a, Vector256<byte> b) => a ^ b;

    public static Vector256<byte> Or(Vector256<byte> a, Vector256<byte> b) => a | b;

    public static Vector256<byte> And(Vector256<byte> a, Vector256<byte> b) => a & b;

    public static Vector256<byte> SubtractSaturate(Vector256<byte> a, Vector256<byte> b) => Vector256.SubtractSaturate(a, b);

    public static Vector256<byte> ShiftRight4(Vector256<byte> vector) => (vector.AsUInt16() >>> 4).AsByte();

    public static Vector256<byte> Lookup(Vector256<byte> table, Vector256<byte> indices) => Avx2.Shuffle(table, indices);

    public static Vector256<byte> Carry(Vector256<byte> vector, Vector256<byte> previous) => Avx2.Permute2x128(previous, vector, 0x21);

    public static Vector256<byte> Back1(Vector256<byte> vector, Vector256<byte> carry) => Avx2.AlignRight(vector, carry, 15);

    public static Vector256<byte> Back2(Vector256<byte> vector, Vector256<byte> carry) => Avx2.AlignRight(vector, carry, 14);

    public static Vector256<byte> Back3(Vector256<byte> vector, Vector256<byte> carry) => Avx2.AlignRight(vector, carry, 13);

    public static bool IsAscii(Vector256<byte> vector) => (vector & Vector256.Create((byte)0x80)) == Vector256<byte>.Zero;

    public static bool IsZero(Vector256<byte> vector) => vector == Vector256<byte>.Zero;
}

/// <summary>64 octets: AVX-512BW, whose shuffles stay within 16.</summary>
internal readonly struct Lanes512 : ILanes<Vector512<byte>>
{
    public static nuint Width => 64;

    public static Vector512<byte> Load(ref byte source, nuint at) => Vector512.LoadUnsafe(ref source, at);

    public static void Store(Vector512<byte> vector, ref byte destination, nuint at) => vector.StoreUnsafe(ref destination, at);

    public static Vector512<byte> Fill(uint value) => Vector512.Create(value).AsByte();

    // By way of its halves, because only so does the JIT make one constant of a constant.
    public static Vector512<byte> Repeat(Vector128<byte> octets)
    {
        var (low, high) = (octets.AsUInt64().GetElement(0), octets.AsUInt64().GetElement(1));
        return Vector512.Create(low, high, low, high, low, high, low, high).AsByte();
    }

    public static Vector512<byte> EndingWith(uint value) => Vector512<uint>.AllBitsSet.WithElement(15, value).AsByte();

    public static Vector512<byte> Xor(Vector512<byte> a, Vector512<byte> b) => a ^ b;

    public static Vector512<byte> Or(Vector512<byte> a, Vector512<byte> b) => a | b;

    public static Vector512<byte> And(Vector512<byte> a, Vector512<byte> b) => a & b;

    public static Vector512<byte> SubtractSaturate(Vector512<byte> a, Vector512<byte> b) => Vector512.SubtractSaturate(a, b);

    public static Vector512<byte> ShiftRight4(Vector512<byte> vector) => (vector.AsUInt16() >>> 4).AsByte();

    public static Vector512<byte> Lookup(Vector512<byte> table, Vector512<byte> indices) => Avx512BW.Shuffle(table, indices);

    public static Vector512<byte> Carry(Vector512<byte> vector, Vector512<byte> previous) =>
        Avx512F.AlignRight64(vector.AsUInt64(), previous.AsUInt64(), 6).AsByte();

    public static Vector512<byte> Back1(Vector512<byte> vector, Vector512<byte> carry) => Avx512BW.AlignRight(vector, carry, 15);

    public static Vector512<byte> Back2(Vector512<byte> vector, Vector512<byte> carry) => Avx512BW.AlignRight(vector, carry, 14);

    public static Vector512<byte> Back3(Vector512<byte> vector, Vector512<byte> carry) => Avx512BW.AlignRight(vector, carry, 13);

    public static bool IsAscii(Vector512<byte> vector) => (vector & Vector512.Create((byte)0x80)) == Vector512<byte>.Zero;

    public static bool IsZero(Vector512<byte> vector) => vector == Vector512<byte>.Zero;
}
