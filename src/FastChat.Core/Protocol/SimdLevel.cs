using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace FastChat.Protocol;

/// <summary>
/// The widest vectors a pass over bytes may use. Callers leave it out and get <see cref="Simd.Best"/>, which the JIT folds to a constant;
/// tests pass each level that <see cref="Simd.Supports"/> and hold it against <see cref="Scalar"/>. Levels above the hardware's fall to it.
/// </summary>
internal enum SimdLevel
{
    Scalar,
    Vector128,
    Vector256,
    Vector512,
}

/// <summary>What this processor has of <see cref="SimdLevel"/>.</summary>
internal static class Simd
{
    /// <summary>The widest level that is fast here: .NET reports 512 bits only where they do not slow the clock.</summary>
    internal static SimdLevel Best =>
        Has512 ? SimdLevel.Vector512 : Has256 ? SimdLevel.Vector256 : Has128 ? SimdLevel.Vector128 : SimdLevel.Scalar;

    internal static bool Has512 => Vector512.IsHardwareAccelerated && Avx512BW.IsSupported;

    internal static bool Has256 => Vector256.IsHardwareAccelerated && Avx2.IsSupported;

    internal static bool Has128 => Vector128.IsHardwareAccelerated && (Ssse3.IsSupported || AdvSimd.Arm64.IsSupported);

    internal static bool Supports(SimdLevel level) => level <= Best;
}
