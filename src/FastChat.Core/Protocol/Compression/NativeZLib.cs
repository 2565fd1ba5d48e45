using System.Runtime.InteropServices;

namespace FastChat.Protocol.Compression;

/// <summary>
/// The runtime's own native zlib (zlib-ng in .NET 10), which ships with every .NET and which <c>System.IO.Compression</c> itself stands on;
/// only here can window bits be chosen. The declarations follow dotnet/runtime, src/native/libs/System.IO.Compression.Native/pal_zlib.h.
/// </summary>
internal static unsafe partial class NativeZLib
{
    private const string Library = "libSystem.IO.Compression.Native";

    public const int Deflated = 8;
    public const int DefaultStrategy = 0;
    public const int LargestWindowBits = 15;

    /// <summary>What zlib's compressor takes at least: it cannot make raw deflate with 8.</summary>
    public const int SmallestCompressorWindowBits = 9;

    /// <summary>Whether the library is there and behaves as declared above; where it is not, nothing negotiates compression.</summary>
    public static bool IsSupported { get; } = Probe();

    [LibraryImport(Library, EntryPoint = "CompressionNative_DeflateInit2_")]
    public static partial ZResult DeflateInit(ZStream* stream, int level, int method, int windowBits, int memoryLevel, int strategy);

    [LibraryImport(Library, EntryPoint = "CompressionNative_Deflate")]
    public static partial ZResult Deflate(ZStream* stream, ZFlush flush);

    [LibraryImport(Library, EntryPoint = "CompressionNative_DeflateEnd")]
    public static partial ZResult DeflateEnd(ZStream* stream);

    [LibraryImport(Library, EntryPoint = "CompressionNative_InflateInit2_")]
    public static partial ZResult InflateInit(ZStream* stream, int windowBits);

    [LibraryImport(Library, EntryPoint = "CompressionNative_Inflate")]
    public static partial ZResult Inflate(ZStream* stream, ZFlush flush);

    [LibraryImport(Library, EntryPoint = "CompressionNative_InflateEnd")]
    public static partial ZResult InflateEnd(ZStream* stream);

    [LibraryImport(Library, EntryPoint = "CompressionNative_InflateReset2_")]
    public static partial ZResult InflateReset(ZStream* stream, int windowBits);

    /// <summary>The runtime's view of zlib's z_stream, which itself lives behind <see cref="State"/>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct ZStream
    {
        public byte* NextIn;
        public byte* NextOut;
        public byte* Message;
        public void* State;
        public uint AvailableIn;
        public uint AvailableOut;
    }

    private static bool Probe()
    {
        try
        {
            // The RFC's own example (section 7.2.3.1), ended by a final empty block.
            using var inflater = new Inflater(LargestWindowBits);
            Span<byte> output = stackalloc byte[16];
            ReadOnlySpan<byte> input = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00, 0x00, 0xff, 0xff, 0x01, 0x00, 0x00, 0xff, 0xff];
            if (inflater.Inflate(ref input, output, out int written) != InflateStep.End || !output[..written].SequenceEqual("Hello"u8)) return false;
            using var deflater = new Deflater(LargestWindowBits, level: 1, memoryLevel: 8);
            return true;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            return false;
        }
    }
}

/// <summary>zlib's return codes that matter here.</summary>
internal enum ZResult
{
    Ok = 0,
    StreamEnd = 1,
    DataError = -3,
    MemoryError = -4,
    /// <summary>No progress was possible: no error, zlib wants input or room.</summary>
    BufferError = -5,
}

/// <summary>zlib's flush values.</summary>
internal enum ZFlush
{
    None = 0,
    /// <summary>Ends at an octet boundary with an empty stored block; the window is kept.</summary>
    Sync = 2,
    /// <summary>As <see cref="Sync"/>, and forgets the window: what follows refers to nothing before it.</summary>
    Full = 3,
}
