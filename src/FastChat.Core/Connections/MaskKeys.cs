using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace FastChat.Connections;

/// <summary>Masking keys from a strong source of entropy (RFC 6455 section 5.3), drawn in batches a thread.</summary>
internal static class MaskKeys
{
    [ThreadStatic]
    private static uint[]? Keys;
    [ThreadStatic]
    private static int Left;

    public static uint Next()
    {
        var keys = Keys ??= new uint[256];
        if (Left == 0)
        {
            RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(keys.AsSpan()));
            Left = keys.Length;
        }
        return keys[--Left];
    }
}
