using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;
using FastChat.Protocol;
using FsCheck;
using FsCheck.Fluent;

namespace FastChat.Core.Tests.Protocol;

public sealed class Utf8ValidatorTests
{
    [Theory]
    [InlineData("Scalar")]
    [InlineData("Vector128")]
    [InlineData("Vector256")]
    [InlineData("Vector512")]
    public void Every_two_octets_are_judged_at_once_wherever_they_stand(string name)
    {
        var level = Utf8Samples.Level(name);
        foreach (var before in new[] { 0, 1, 5, 14, 15, 31, 63, 127 })
        {
            var text = new byte[before + 2];
            text.AsSpan().Fill((byte)'a');
            for (var pair = 0; pair <= 0xFFFF; pair++)
            {
                (text[before], text[before + 1]) = ((byte)(pair >> 8), (byte)pair);
                Expect(text, text.AsSpan(before), level);
            }
        }
    }

    [Theory]
    [InlineData("Scalar")]
    [InlineData("Vector128")]
    [InlineData("Vector256")]
    [InlineData("Vector512")]
    public void Every_four_octets_at_the_edges_of_the_ranges_are_judged_at_once(string name)
    {
        var level = Utf8Samples.Level(name);
        // Across the seam of two vectors, and across the seam of a last one that overlaps.
        foreach (var (before, after) in new[] { (62, 0), (14, 70), (126, 3) })
        {
            var text = new byte[before + 4 + after];
            text.AsSpan().Fill((byte)'a');
            foreach (var a in Utf8Samples.Edges)
                foreach (var b in Utf8Samples.Edges)
                    foreach (var c in Utf8Samples.Edges)
                        foreach (var d in Utf8Samples.Edges)
                        {
                            (text[before], text[before + 1], text[before + 2], text[before + 3]) = (a, b, c, d);
                            Expect(text, text.AsSpan(before, 4 + Math.Min(after, 1)), level);
                        }
        }
    }

    [Theory]
    [InlineData("Scalar")]
    [InlineData("Vector128")]
    [InlineData("Vector256")]
    [InlineData("Vector512")]
    public void Every_code_point_is_accepted_and_every_surrogate_refused(string name)
    {
        var level = Utf8Samples.Level(name);
        var all = new byte[4_400_000];
        var length = 0;
        for (var point = 0; point <= 0x10FFFF; point++)
            if (Rune.TryCreate(point, out var rune)) length += rune.EncodeToUtf8(all.AsSpan(length));
        foreach (var step in new[] { length, 4096, 777, 61, 1 })
        {
            var validator = default(Utf8Validator);
            for (var at = 0; at < length; at += step)
                if (!validator.Append(all.AsSpan(at, Math.Min(step, length - at)), level)) Assert.Fail($"By {step} octets, at {at}.");
            Assert.True(validator.IsComplete);
        }
        for (var point = 0xD800; point <= 0xDFFF; point++)
            Expect([0xED, (byte)(0x80 | (point >> 6 & 0x3F)), (byte)(0x80 | (point & 0x3F)), .. "and some more text"u8], level);
    }

    [Theory]
    [InlineData("Scalar")]
    [InlineData("Vector128")]
    [InlineData("Vector256")]
    [InlineData("Vector512")]
    public void Every_length_and_alignment_of_text_cut_anywhere_is_the_beginning_of_text(string name)
    {
        var level = Utf8Samples.Level(name);
        for (var alignment = 0; alignment <= 64; alignment++)
        {
            var text = Utf8Samples.Text(700, alignment);
            byte[] placed = [.. new byte[alignment], .. text];
            for (var length = 0; length <= text.Length; length += length < 300 ? 1 : 5)
                Expect(placed.AsSpan(alignment, length), level);
        }
    }

    [Theory]
    [InlineData("Scalar")]
    [InlineData("Vector128")]
    [InlineData("Vector256")]
    [InlineData("Vector512")]
    public void One_bad_octet_anywhere_is_found(string name)
    {
        var level = Utf8Samples.Level(name);
        foreach (var length in new[] { 3, 7, 8, 15, 16, 31, 33, 63, 64, 65, 127, 130, 191, 200, 460, 777 })
        {
            foreach (var text in new[] { Enumerable.Repeat((byte)'a', length).ToArray(), Utf8Samples.Exactly(length, length) })
                for (var at = 0; at < length; at++)
                {
                    var good = text[at];
                    foreach (var bad in new byte[] { 0x80, 0xC1, 0xC3, 0xE2, 0xED, 0xF1, 0xF5, 0xFF, (byte)'b' })
                    {
                        text[at] = bad;
                        Expect(text, level);
                        if (bad == 0xFF && new Utf8Validator().Append(text, level)) Assert.Fail($"FF at {at} of {length}.");
                    }
                    text[at] = good;
                }
        }
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
                    Expect(text, level);
                }
    }

    [Theory]
    [InlineData("Scalar")]
    [InlineData("Vector128")]
    [InlineData("Vector256")]
    [InlineData("Vector512")]
    public void Split_at_every_index_the_first_piece_that_cannot_be_fails(string name)
    {
        var level = Utf8Samples.Level(name);
        for (var seed = 0; seed < 60; seed++)
        {
            var text = Utf8Samples.Text(150, seed);
            if (seed % 3 != 0) text[seed * 7 % text.Length] = Utf8Samples.Edges[seed % Utf8Samples.Edges.Length];
            for (var split = 0; split <= text.Length; split++)
            {
                var validator = default(Utf8Validator);
                var first = Utf8Samples.Judge(text.AsSpan(0, split));
                Assert.Equal(first.Possible, validator.Append(text.AsSpan(0, split), level));
                if (first.Possible) Assert.Equal(first.Complete, validator.IsComplete);
                var both = Utf8Samples.Judge(text);
                Assert.Equal(both.Possible, validator.Append(text.AsSpan(split), level));
                if (both.Possible) Assert.Equal(both.Complete, validator.IsComplete);
            }
        }
    }

    [Fact]
    public void Random_octets_in_random_pieces_fail_exactly_where_the_runtime_says()
    {
        // Octets from the edges, so that characters begin often and now and then end.
        var octets = Gen.Frequency(
            (6, Gen.Elements("abc"u8.ToArray())),
            (2, Gen.Elements(Utf8Samples.Edges)),
            (2, Gen.Choose(0x80, 0xBF).Select(octet => (byte)octet)));
        var pieces = octets.ArrayOf().ArrayOf().ToArbitrary();
        Prop.ForAll(pieces, cut =>
        {
            foreach (var level in Enum.GetValues<SimdLevel>().Where(Simd.Supports))
            {
                var validator = default(Utf8Validator);
                byte[] sofar = [];
                foreach (var piece in cut)
                {
                    sofar = [.. sofar, .. piece];
                    var (possible, complete) = Utf8Samples.Judge(sofar);
                    if (validator.Append(piece, level) != possible) return false;
                    if (possible && validator.IsComplete != complete) return false;
                }
            }
            return true;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    [Theory]
    [InlineData("E0 80")]
    [InlineData("ED A0")]
    [InlineData("F0 80")]
    [InlineData("F4 90")]
    [InlineData("C0")]
    [InlineData("C1")]
    [InlineData("F5")]
    [InlineData("FF")]
    [InlineData("80")]
    [InlineData("E2 82 41")]
    [InlineData("F0 9F 98 C3")]
    public void What_can_never_be_fails_at_its_last_octet_and_stays_failed_until_reset(string hex)
    {
        var octets = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        foreach (var level in Enum.GetValues<SimdLevel>().Where(Simd.Supports))
            foreach (var before in new[] { 0, 2, 10, 20, 50, 100, 1000 })
            {
                byte[] text = [.. Enumerable.Repeat((byte)'a', before), .. octets];
                var validator = default(Utf8Validator);
                Assert.True(validator.Append(text.AsSpan(0, text.Length - 1), level));
                Assert.Equal(octets.Length == 1, validator.IsComplete);
                Assert.False(validator.Append(text.AsSpan(text.Length - 1), level));
                Assert.False(validator.IsComplete);
                Assert.False(validator.Append(default, level));
                Assert.False(validator.Append("perfectly good text, and enough of it for a vector"u8, level));
                validator.Reset();
                Assert.True(validator.IsComplete);
                Assert.False(validator.Append(text, level));
                validator.Reset();
                Assert.True(validator.Append("good"u8, level));
            }
    }

    [Fact]
    public void Its_state_is_tiny() => Assert.True(Unsafe.SizeOf<Utf8Validator>() <= 8);

    private static void Expect(ReadOnlySpan<byte> text, SimdLevel level) => Expect(text, text, level);

    /// <param name="text">What is validated in one piece.</param>
    /// <param name="telling">The part of it that decides; the rest is ASCII.</param>
    /// <param name="level">The path.</param>
    private static void Expect(ReadOnlySpan<byte> text, ReadOnlySpan<byte> telling, SimdLevel level)
    {
        var (possible, complete) = Utf8Samples.Judge(telling);
        var validator = default(Utf8Validator);
        var accepted = validator.Append(text, level);
        if (accepted != possible || (possible && validator.IsComplete != complete) || (accepted && validator.IsComplete) != Utf8.IsValid(text))
            Assert.Fail($"{level}: {accepted}, complete {validator.IsComplete}, for {Convert.ToHexString(text)}.");
    }
}
