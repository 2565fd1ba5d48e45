using FastChat.Protocol;

namespace FastChat.Core.Tests.Protocol;

public sealed class MaskedUtf8Tests
{
    private const uint Key = 0x9D3A51C7;
    private const int Guard = 64;

    [Theory]
    [InlineData("Scalar")]
    [InlineData("Vector128")]
    [InlineData("Vector256")]
    [InlineData("Vector512")]
    public void Every_length_alignment_and_offset_is_unmasked_and_judged_as_in_two_passes(string name)
    {
        var level = Utf8Samples.Level(name);
        for (var offset = 0; offset <= 64; offset++)
        {
            var text = Utf8Samples.Text(700, offset);
            for (var length = 0; length <= 700; length += length < 300 ? 1 : 11)
            {
                Check(text.AsSpan(0, length), offset, level);
                if (length > 0) Check(Spoilt(text.AsSpan(0, length), (length * 31 + offset) % length), offset, level);
            }
        }
    }

    [Theory]
    [InlineData("Scalar")]
    [InlineData("Vector128")]
    [InlineData("Vector256")]
    [InlineData("Vector512")]
    public void ASCII_of_every_length_and_alignment_is_unmasked_and_accepted(string name)
    {
        var level = Utf8Samples.Level(name);
        var text = Enumerable.Range(0, 700).Select(i => (byte)(i % 128)).ToArray();
        for (var offset = 0; offset <= 64; offset++)
            for (var length = 0; length <= 700; length += length < 300 ? 1 : 11)
                Check(text.AsSpan(0, length), offset, level);
    }

    [Theory]
    [InlineData("Scalar")]
    [InlineData("Vector128")]
    [InlineData("Vector256")]
    [InlineData("Vector512")]
    public void One_bad_octet_anywhere_is_found_and_the_rest_unmasked(string name)
    {
        var level = Utf8Samples.Level(name);
        foreach (var length in new[] { 3, 15, 40, 100, 400, 900 })
            foreach (var text in new[] { Enumerable.Repeat((byte)'a', length).ToArray(), Utf8Samples.Exactly(length, length) })
                for (var at = 0; at < length; at++) Check(Spoilt(text, at), at, level);
    }

    [Theory]
    [InlineData("Scalar")]
    [InlineData("Vector128")]
    [InlineData("Vector256")]
    [InlineData("Vector512")]
    public void A_character_broken_off_anywhere_in_ASCII_is_found(string name)
    {
        var level = Utf8Samples.Level(name);
        foreach (var broken in Utf8Samples.BrokenOff)
            foreach (var length in new[] { 9, 30, 64, 128, 800 })
                for (var at = 0; at <= length - broken.Length; at++)
                {
                    var text = Enumerable.Repeat((byte)'a', length).ToArray();
                    broken.CopyTo(text, at);
                    Check(text, at, level);
                }
    }

    [Theory]
    [InlineData("Scalar")]
    [InlineData("Vector128")]
    [InlineData("Vector256")]
    [InlineData("Vector512")]
    public void Split_at_every_index_the_pieces_are_unmasked_and_judged_as_the_whole(string name)
    {
        var level = Utf8Samples.Level(name);
        for (var seed = 0; seed < 40; seed++)
        {
            var text = Utf8Samples.Text(300, seed);
            if (seed % 2 != 0) text[seed * 7 % text.Length] = Utf8Samples.Edges[seed % Utf8Samples.Edges.Length];
            for (var split = 0; split <= text.Length; split++)
            {
                var data = Masked(text, 0);
                var validator = default(Utf8Validator);
                var first = MaskedUtf8.UnmaskAndValidate(data.AsSpan(0, split), Key, 0, ref validator, level);
                Assert.Equal(Utf8Samples.Judge(text.AsSpan(0, split)).Possible, first);
                var second = MaskedUtf8.UnmaskAndValidate(data.AsSpan(split), Key, split, ref validator, level);
                var (possible, complete) = Utf8Samples.Judge(text);
                Assert.Equal(possible, second);
                Assert.Equal(complete, validator.IsComplete);
                Assert.True(text.AsSpan().SequenceEqual(data), $"Split at {split}.");
            }
        }
    }

    [Fact]
    public void The_level_of_this_processor_is_the_default()
    {
        var text = Utf8Samples.Exactly(16_384, 5);
        var data = Masked(text, 2);
        var validator = default(Utf8Validator);
        Assert.True(MaskedUtf8.UnmaskAndValidate(data, Key, 2, ref validator));
        Assert.True(validator.IsComplete);
        Assert.Equal(text, data);
    }

    private static byte[] Spoilt(ReadOnlySpan<byte> text, int at)
    {
        var spoilt = text.ToArray();
        spoilt[at] = 0xF8;
        return spoilt;
    }

    private static byte[] Masked(ReadOnlySpan<byte> text, int offset)
    {
        var masked = text.ToArray();
        Masking.Apply(masked, Key, offset, SimdLevel.Scalar);
        return masked;
    }

    private static void Check(ReadOnlySpan<byte> text, int offset, SimdLevel level)
    {
        var placed = new byte[offset + text.Length + Guard];
        Masked(text, offset).CopyTo(placed, offset);
        var (validator, twin) = (default(Utf8Validator), default(Utf8Validator));
        var accepted = MaskedUtf8.UnmaskAndValidate(placed.AsSpan(offset, text.Length), Key, offset, ref validator, level);
        if (accepted != twin.AppendScalar(text) || validator.IsComplete != twin.IsComplete || accepted != Utf8Samples.Judge(text).Possible)
            Assert.Fail($"{accepted}, complete {validator.IsComplete}, at offset {offset}, for {Convert.ToHexString(text)}.");
        if (!placed.AsSpan(offset, text.Length).SequenceEqual(text)) Assert.Fail($"Not unmasked: length {text.Length}, offset {offset}.");
        if (placed.AsSpan(0, offset).ContainsAnyExcept((byte)0) || placed.AsSpan(offset + text.Length).ContainsAnyExcept((byte)0))
            Assert.Fail($"Beyond the data: length {text.Length}, offset {offset}.");
    }
}
