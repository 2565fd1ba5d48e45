using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastChat.Protocol;

/// <summary>
/// Masked text (RFC 6455 sections 5.3 and 8.1) unmasked and validated in one pass over memory: for text beyond a few vectors that costs hardly
/// more than validating alone.
/// </summary>
internal static class MaskedUtf8
{
    /// <summary>Unmasks text in place, as <see cref="Masking"/> does, and appends it to what <paramref name="validator"/> has seen.</summary>
    /// <returns>What <see cref="Utf8Validator.Append(ReadOnlySpan{byte})"/> says of it. The data are unmasked to the end either way.</returns>
    internal static bool UnmaskAndValidate(Span<byte> data, uint key, int offset, ref Utf8Validator validator) =>
        UnmaskAndValidate(data, key, offset, ref validator, Simd.Best);

    /// <inheritdoc cref="UnmaskAndValidate(Span{byte}, uint, int, ref Utf8Validator)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool UnmaskAndValidate(Span<byte> data, uint key, int offset, ref Utf8Validator validator, SimdLevel level)
    {
        key = Masking.Rotate(key, (nuint)offset);
        return Utf8Scan.Run<Utf8Scan.Masked>(ref MemoryMarshal.GetReference(data), (nuint)data.Length, key, level, ref validator);
    }
}
