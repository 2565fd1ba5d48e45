using System.IO.Compression;
using System.Text;
using FastChat.Buffers;
using FastChat.Protocol.Compression;

namespace FastChat.Core.Tests.Protocol.Compression;

/// <summary>Data to compress, and other ways than ours to compress and inflate them.</summary>
internal static class DeflateSamples
{
    /// <summary>JSON-like text with references near and far.</summary>
    public static byte[] Json(int length, int seed = 1)
    {
        var random = new Random(seed);
        var text = new StringBuilder(length + 200);
        for (int i = 0; text.Length < length; i++)
        {
            string words = string.Join(' ', Enumerable.Range(0, random.Next(3, 20)).Select(_ => Words[random.Next(Words.Length)]));
            text.Append($"{{\"type\":\"response_chunk\",\"seq\":{i},\"id\":\"{random.Next():x}\",\"content\":\"{words}\"}},");
        }
        return Encoding.ASCII.GetBytes(text.ToString(0, length));
    }

    public static byte[] Noise(int length, int seed = 1)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>The messages of one connection: small, large, empty, repeated, not compressible.</summary>
    public static byte[][] Messages() =>
        [Json(20), Json(300), Json(300), [], Noise(1000), Json(40_000), [7], Noise(70_000, 2), Json(40_000), new byte[100_000], Json(300, 2)];

    /// <summary>What a peer without a window sends: compressed by the runtime's own stream, the tail stripped.</summary>
    public static byte[] CompressWithDeflateStream(byte[] message, CompressionLevel level = CompressionLevel.Optimal)
    {
        if (message.Length == 0) return [0];
        using var compressed = new MemoryStream();
        using var deflate = new DeflateStream(compressed, level, leaveOpen: true);
        deflate.Write(message);
        deflate.Flush();
        byte[] bytes = compressed.ToArray();
        Assert.Equal([0, 0, 0xff, 0xff], bytes[^4..]);
        return bytes[..^4];
    }

    /// <summary>Inflates the messages of a peer one after the other, keeping the window.</summary>
    public static byte[][] InflateWithDeflateStream(IEnumerable<(byte[] Compressed, int Length)> messages)
    {
        using var pipe = new MemoryStream();
        using var inflate = new DeflateStream(pipe, CompressionMode.Decompress);
        var inflated = new List<byte[]>();
        foreach ((byte[] compressed, int length) in messages)
        {
            pipe.SetLength(0);
            pipe.Write(compressed);
            pipe.Write([0, 0, 0xff, 0xff]);
            pipe.Position = 0;
            byte[] message = new byte[length];
            inflate.ReadExactly(message);
            inflated.Add(message);
        }
        return [.. inflated];
    }

    /// <summary>
    /// Inflates octet by octet with a window of exactly 2^<paramref name="windowBits"/>: with room for one octet, zlib has nothing but its
    /// window to refer to, so that a reference beyond it is an error. Null where there is one.
    /// </summary>
    public static byte[]? InflateStrictly(ReadOnlySpan<byte> compressed, int windowBits)
    {
        using var inflater = new Inflater(windowBits);
        var inflated = new List<byte>();
        Span<byte> room = stackalloc byte[1];
        while (true)
        {
            if (inflater.Inflate(ref compressed, room, out int written) != InflateStep.More) return null;
            if (written == 0) return [.. inflated];
            inflated.Add(room[0]);
        }
    }

    public static byte[]? Compress(MessageDeflater deflater, byte[] message)
    {
        using var output = new PooledByteBuffer(System.Buffers.ArrayPool<byte>.Shared);
        return deflater.TryCompress(message, output) ? output.WrittenSpan.ToArray() : null;
    }

    private static readonly string[] Words =
        "the socket opens and a frame comes in with all its octets masked so we take the key and look at every one of them before we answer".Split(' ');
}
