using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace FastChat.Connections;

/// <summary>Masking keys from a strong source of entropy (RFC 6455 section 5.3), drawn in batches a thread.</summary>
internal static class MaskKeys
{
    [ThreadStatic]
    private static uint[]? _keys;
    [ThreadStatic]
    private static int _left;

    public static uint Next()
    {
        var keys = _keys ??= new uint[256];
        if (_left == 0)
        {
            RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(keys.AsSpan()));
            _left = keys.Length;
        }
        return keys[--_left];
    }
}
