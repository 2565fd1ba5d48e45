using System.Buffers;
using System.Text;
using FastChat.Protocol;

namespace FastChat.Core.Tests.Protocol;

/// <summary>Texts good and bad, and the runtime's own decoder as the judge of them: it shares nothing with ours.</summary>
internal static class Utf8Samples
{
    /// <summary>Both ends of every range of RFC 3629 section 4, and what lies beyond.</summary>
    internal static readonly byte[] Edges =
    [
        0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
        0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
    ];

    /// <summary>Beginnings of characters: fine at the end of a piece, wrong before ASCII.</summary>
    internal static readonly byte[][] BrokenOff =
        [[0xC2], [0xDF], [0xE0], [0xE2, 0x82], [0xEF, 0xBF], [0xF0], [0xF0, 0x90], [0xF0, 0x90, 0x80], [0xF4, 0x8F, 0xBF]];

    private static readonly int[] CodePoints =
    [
        0, 'a', 0x7F, 0x80, 0x3B1, 0x7FF, 0x800, 0x20AC, 0xCFFF, 0xD000, 0xD7FF, 0xE000, 0xFFFF,
        0x10000, 0x1F600, 0x3FFFF, 0x40000, 0xFFFFF, 0x100000, 0x10FFFF,
    ];

    /// <summary>The level, where this processor has it; else the test is skipped.</summary>
    internal static SimdLevel Level(string name)
    {
        var level = Enum.Parse<SimdLevel>(name);
        Assert.SkipUnless(Simd.Supports(level), $"This processor has no {name}.");
        return level;
    }

    /// <summary>Whether the octets are the beginning of some UTF-8 text, and whether they end with a whole character.</summary>
    internal static (bool Possible, bool Complete) Judge(ReadOnlySpan<byte> octets)
    {
        while (octets.Length > 0)
        {
            switch (Rune.DecodeFromUtf8(octets, out _, out var consumed))
            {
                case OperationStatus.NeedMoreData: return (true, false);
                case OperationStatus.InvalidData: return (false, false);
            }
            octets = octets[consumed..];
        }
        return (true, true);
    }

    /// <summary>At least so many octets of valid text, ASCII in runs among characters of every length. The same seed gives the same text.</summary>
    internal static byte[] Text(int length, int seed)
    {
        var random = new Random(seed);
        var text = new List<byte>(length + 4);
        Span<byte> encoded = stackalloc byte[4];
        while (text.Count < length)
        {
            if (random.Next(8) == 0) text.AddRange(Enumerable.Repeat((byte)'x', random.Next(150)));
            var rune = new Rune(CodePoints[random.Next(CodePoints.Length)]);
            text.AddRange(encoded[..rune.EncodeToUtf8(encoded)]);
        }
        return [.. text];
    }

    /// <summary>Exactly so many octets of valid text: what is too much of <see cref="Text"/> gives way to ASCII.</summary>
    internal static byte[] Exactly(int length, int seed)
    {
        var text = Text(length, seed);
        var cut = length;
        while (!Judge(text.AsSpan(0, cut)).Complete) cut--;
        text.AsSpan(cut).Fill((byte)'y');
        return text[..length];
    }
}
