using System.Runtime.InteropServices;
using FastChat.Protocol;
using FsCheck;
using FsCheck.Fluent;

namespace FastChat.Core.Tests.Protocol;

public sealed class MaskingTests
{
    private const int Guard = 80;
    private static readonly byte[] KeyOctets = [0x37, 0xFA, 0x21, 0x3D];
    private static readonly uint Key = MemoryMarshal.Read<uint>(KeyOctets);

    [Fact]
    public void Unmasks_the_example_of_the_RFC()
    {
        byte[] hello = [0x7F, 0x9F, 0x4D, 0x51, 0x58]; // RFC 6455 section 5.7: a single-frame masked text message
        Masking.Apply(hello, Key, 0);
        Assert.Equal("Hello"u8, hello);
    }

    [Theory]
    [InlineData("Scalar")]
    [InlineData("Vector128")]
    [InlineData("Vector256")]
    [InlineData("Vector512")]
    public void Every_length_alignment_and_offset_follows_the_formula_and_nothing_else_is_touched(string name)
    {
        var level = Utf8Samples.Level(name);
        var plain = new byte[Guard + 700 + Guard];
        new Random(1).NextBytes(plain);
        var inPlace = new byte[plain.Length];
        var copy = new byte[plain.Length];
        var expected = new byte[plain.Length];
        for (var length = 0; length <= 700; length++)
        {
            // Beyond two of the widest vectors and an unrolled step there is nothing new in every pair of length and alignment.
            for (var offset = 0; offset <= 64; offset += length <= 300 ? 1 : 7)
            {
                plain.CopyTo(inPlace, 0);
                plain.CopyTo(expected, 0);
                Array.Clear(copy);
                for (var i = 0; i < length; i++) expected[offset + i] ^= KeyOctets[(offset + i) % 4];
                Masking.Apply(inPlace.AsSpan(offset, length), Key, offset, level);
                Masking.Apply(plain.AsSpan(offset, length), copy.AsSpan(Guard), Key, offset, level);
                if (!inPlace.AsSpan().SequenceEqual(expected)) Assert.Fail($"In place: length {length}, offset {offset}.");
                if (!copy.AsSpan(Guard, length).SequenceEqual(expected.AsSpan(offset, length))) Assert.Fail($"Copy: length {length}, offset {offset}.");
                if (copy.AsSpan(0, Guard).ContainsAnyExcept((byte)0) || copy.AsSpan(Guard + length).ContainsAnyExcept((byte)0))
                    Assert.Fail($"Beyond the copy: length {length}, offset {offset}.");
            }
        }
    }

    [Theory]
    [InlineData("Scalar")]
    [InlineData("Vector128")]
    [InlineData("Vector256")]
    [InlineData("Vector512")]
    public void Large_payloads_follow_the_formula(string name)
    {
        var level = Utf8Samples.Level(name);
        foreach (var length in new[] { 1023, 4096, 16_384, 65_535, 65_536, 1_048_577 })
        {
            var data = new byte[length + 3];
            new Random(length).NextBytes(data);
            var twin = data.ToArray();
            Masking.Apply(data.AsSpan(3), Key, 1, level);
            for (var i = 0; i < length; i++) twin[3 + i] ^= KeyOctets[(i + 1) % 4];
            Assert.True(data.AsSpan().SequenceEqual(twin), $"Length {length}.");
        }
    }

    [Fact]
    public void A_payload_may_be_unmasked_in_any_pieces() =>
        Prop.ForAll<byte[], uint, byte[]>((payload, key, cuts) =>
        {
            var whole = payload.ToArray();
            var pieces = payload.ToArray();
            Masking.Apply(whole, key, 0, SimdLevel.Scalar);
            var at = 0;
            foreach (var cut in cuts.Select(cut => (int)cut).Append(payload.Length))
            {
                var length = Math.Min(cut, payload.Length - at);
                Masking.Apply(pieces.AsSpan(at, length), key, at);
                at += length;
            }
            return whole.AsSpan().SequenceEqual(pieces);
        }).Check(Config.QuickThrowOnFailure.WithEndSize(600).WithMaxTest(300));

    [Fact]
    public void The_offset_may_be_the_largest_there_is()
    {
        byte[] data = [0, 0, 0, 0, 0];
        Masking.Apply(data, Key, int.MaxValue); // 3 modulo 4
        Assert.Equal([0x3D, 0x37, 0xFA, 0x21, 0x3D], data);
    }

    [Fact]
    public void The_key_is_its_octets_in_memory_order()
    {
        var data = new byte[100];
        Masking.Apply(data, Key, 0);
        Assert.Equal(Enumerable.Repeat(KeyOctets, 25).SelectMany(octets => octets), data);
    }

    [Fact]
    public void A_destination_that_is_too_short_is_refused_and_left_alone()
    {
        var destination = new byte[19];
        Assert.Throws<ArgumentException>(() => Masking.Apply(new byte[20], destination.AsSpan(), Key, 0));
        Assert.DoesNotContain(destination, octet => octet != 0);
    }
}
