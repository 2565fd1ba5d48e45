using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FastChat.Protocol;

/// <summary>
/// Payload masking (RFC 6455 section 5.3): octet i of the payload is XORed with octet i modulo 4 of the key, so masking and unmasking are one.
/// The key is its 4 octets as they stand in memory. A payload may be done in pieces: <c>offset</c> says how many octets of it came before.
/// Thread-safe; holds nothing.
/// </summary>
/// <remarks>
/// A tail that is no whole vector is done as one that overlaps what came before. That is right in place too, because it is read before anything
/// is written, and written last.
/// </remarks>
internal static class Masking
{
    /// <summary>Masks or unmasks in place.</summary>
    internal static void Apply(Span<byte> data, uint key, int offset) => Apply(data, key, offset, Simd.Best);

    /// <inheritdoc cref="Apply(Span{byte}, uint, int)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Apply(Span<byte> data, uint key, int offset, SimdLevel level)
    {
        ref var first = ref MemoryMarshal.GetReference(data);
        Run(ref first, ref first, (nuint)data.Length, Rotate(key, (nuint)offset), level);
    }

    /// <summary>
    /// Masks or unmasks <paramref name="source"/> into the beginning of <paramref name="destination"/>: the same memory, or memory apart.
    /// </summary>
    /// <exception cref="ArgumentException">The destination is shorter than the source.</exception>
    internal static void Apply(ReadOnlySpan<byte> source, Span<byte> destination, uint key, int offset) =>
        Apply(source, destination, key, offset, Simd.Best);

    /// <inheritdoc cref="Apply(ReadOnlySpan{byte}, Span{byte}, uint, int)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Apply(ReadOnlySpan<byte> source, Span<byte> destination, uint key, int offset, SimdLevel level)
    {
        if (destination.Length < source.Length) ThrowTooShort();
        Debug.Assert(!source.Overlaps(destination, out var shift) || shift == 0, "The same memory, or memory apart.");
        ref var from = ref MemoryMarshal.GetReference(source);
        Run(ref from, ref MemoryMarshal.GetReference(destination), (nuint)source.Length, Rotate(key, (nuint)offset), level);
    }

    /// <summary>The key as it stands <paramref name="octets"/> further on in the payload.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static uint Rotate(uint key, nuint octets) =>
        BitConverter.IsLittleEndian ? BitOperations.RotateRight(key, (int)octets * 8) : BitOperations.RotateLeft(key, (int)octets * 8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Run(ref byte source, ref byte destination, nuint length, uint key, SimdLevel level)
    {
        if (length <= 16)
            Short(ref source, ref destination, length, key);
        else if (level >= SimdLevel.Vector512 && Simd.Has512 && length > 64)
            Wide<Lanes512, Vector512<byte>>(ref source, ref destination, length, key);
        else if (level >= SimdLevel.Vector256 && Simd.Has256 && length > 32)
            Wide<Lanes256, Vector256<byte>>(ref source, ref destination, length, key);
        else if (level >= SimdLevel.Vector128 && Simd.Has128)
            Wide<Lanes128, Vector128<byte>>(ref source, ref destination, length, key);
        else
            Scalar(ref source, ref destination, length, key);
    }

    /// <summary>Up to two vectors; <see cref="Long"/> does what lies between them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Wide<TLanes, TVector>(ref byte source, ref byte destination, nuint length, uint key)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        var end = length - TLanes.Width;
        var head = TLanes.Xor(TLanes.Load(ref source, 0), TLanes.Fill(key));
        var tail = TLanes.Xor(TLanes.Load(ref source, end), TLanes.Fill(Rotate(key, end)));
        if (end > TLanes.Width) Long<TLanes, TVector>(ref source, ref destination, end, key);
        TLanes.Store(head, ref destination, 0);
        TLanes.Store(tail, ref destination, end);
    }

    /// <summary>Everything from the first vector that the destination has aligned, up to and perhaps beyond <paramref name="end"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Long<TLanes, TVector>(ref byte source, ref byte destination, nuint end, uint key)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        var at = ToAligned<TLanes, TVector>(ref destination);
        var mask = TLanes.Fill(Rotate(key, at));
        for (; at + 3 * TLanes.Width < end; at += 4 * TLanes.Width)
        {
            var a = TLanes.Xor(TLanes.Load(ref source, at), mask);
            var b = TLanes.Xor(TLanes.Load(ref source, at + TLanes.Width), mask);
            var c = TLanes.Xor(TLanes.Load(ref source, at + 2 * TLanes.Width), mask);
            var d = TLanes.Xor(TLanes.Load(ref source, at + 3 * TLanes.Width), mask);
            TLanes.Store(a, ref destination, at);
            TLanes.Store(b, ref destination, at + TLanes.Width);
            TLanes.Store(c, ref destination, at + 2 * TLanes.Width);
            TLanes.Store(d, ref destination, at + 3 * TLanes.Width);
        }
        for (; at < end; at += TLanes.Width) TLanes.Store(TLanes.Xor(TLanes.Load(ref source, at), mask), ref destination, at);
    }

    /// <summary>
    /// How far it is to the next aligned vector: 1 to a whole one, since the first is done apart. Only speed rests on it, so the collector may move
    /// the memory meanwhile.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static unsafe nuint ToAligned<TLanes, TVector>(ref byte data)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct => TLanes.Width - ((nuint)Unsafe.AsPointer(ref data) & (TLanes.Width - 1));

    /// <summary>The portable path, and the twin that the vectors are held against.</summary>
    private static void Scalar(ref byte source, ref byte destination, nuint length, uint key)
    {
        var keys = key | (ulong)key << 32;
        nuint at = 0;
        for (; at + 8 <= length; at += 8) Write(ref destination, at, Read<ulong>(ref source, at) ^ keys);
        Short(ref Unsafe.Add(ref source, at), ref Unsafe.Add(ref destination, at), length - at, key);
    }

    /// <summary>Lengths up to 16, at every level.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Short(ref byte source, ref byte destination, nuint length, uint key)
    {
        if (length >= 8)
        {
            var keyed = Rotate(key, length);
            var head = Read<ulong>(ref source, 0) ^ (key | (ulong)key << 32);
            var tail = Read<ulong>(ref source, length - 8) ^ (keyed | (ulong)keyed << 32);
            Write(ref destination, 0, head);
            Write(ref destination, length - 8, tail);
        }
        else if (length >= 4)
        {
            var head = Read<uint>(ref source, 0) ^ key;
            var tail = Read<uint>(ref source, length - 4) ^ Rotate(key, length);
            Write(ref destination, 0, head);
            Write(ref destination, length - 4, tail);
        }
        else
        {
            Tiny(ref source, ref destination, length, key);
        }
    }

    /// <summary>Lengths below 4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Tiny(ref byte source, ref byte destination, nuint length, uint key)
    {
        for (nuint at = 0; at < length; at++)
            Unsafe.Add(ref destination, at) = (byte)(Unsafe.Add(ref source, at) ^ Unsafe.Add(ref Unsafe.As<uint, byte>(ref key), at));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T Read<T>(ref byte source, nuint at)
        where T : unmanaged => Unsafe.ReadUnaligned<T>(ref Unsafe.Add(ref source, at));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Write<T>(ref byte destination, nuint at, T value)
        where T : unmanaged => Unsafe.WriteUnaligned(ref Unsafe.Add(ref destination, at), value);

    [DoesNotReturn]
    private static void ThrowTooShort() => throw new ArgumentException("The destination is shorter than the source.");
}
