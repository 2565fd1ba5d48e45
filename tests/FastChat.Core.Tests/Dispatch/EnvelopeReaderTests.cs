using System.Buffers;
using System.Text;
using System.Text.Json;
using FastChat.Dispatch;
using FastChat.TestKit;
using FsCheck;
using FsCheck.Fluent;

namespace FastChat.Core.Tests.Dispatch;

public sealed class EnvelopeReaderTests
{
    private static readonly EnvelopeLimits Small = new() { MaxBytes = 200, MaxDepth = 3 };

    [Theory]
    [InlineData("""{"type":3}""", 3)]
    [InlineData("""{"type":-2147483648,"data":{}}""", int.MinValue)]
    [InlineData("""{"data":{"type":"inner","list":[1,{"type":9}]},"type":5}""", 5)]
    [InlineData(""" { "a" : "type" , "type" : 0 } """, 0)]
    [InlineData("""{"\u0074ype":4}""", 4)]
    public void An_integer_type_is_found_wherever_it_stands(string json, int code)
    {
        foreach (var cut in SequenceReplay.Cuts(Encoding.UTF8.GetBytes(json)))
        {
            Assert.Equal(EnvelopeError.None, EnvelopeReader.Read(cut.Bytes, EnvelopeLimits.Default, out var envelope));
            Assert.Equal((EnvelopeKind.Code, code, cut.How), (envelope.Kind, envelope.Code, cut.How));
            Assert.True(envelope.Name.IsEmpty);
        }
    }

    [Theory]
    [InlineData("""{"type":"message"}""", "message")]
    [InlineData("""{"content":"type","type":"r\u0065sume","last_seq":4}""", "resume")]
    [InlineData("""{"type":""}""", "")]
    [InlineData("""{"type":"grüße 👋"}""", "grüße 👋")]
    [InlineData("""{"type":"\uD83D\uDC4B"}""", "👋")]
    [InlineData("""{"type":"abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz01"}""",
        "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz01")]
    public void A_string_type_is_found_unescaped(string json, string name)
    {
        foreach (var cut in SequenceReplay.Cuts(Encoding.UTF8.GetBytes(json)))
        {
            Assert.Equal(EnvelopeError.None, EnvelopeReader.Read(cut.Bytes, EnvelopeLimits.Default, out var envelope));
            Assert.Equal(EnvelopeKind.Name, envelope.Kind);
            Assert.Equal(name, Encoding.UTF8.GetString(envelope.Name));
            Assert.Equal(0, envelope.Code);
        }
    }

    [Theory]
    [InlineData("", EnvelopeError.Malformed)]
    [InlineData("   ", EnvelopeError.Malformed)]
    [InlineData("hello", EnvelopeError.Malformed)]
    [InlineData("""{"type":3""", EnvelopeError.Malformed)]
    [InlineData("""{"type":3}x""", EnvelopeError.Malformed)]
    [InlineData("""{"type":3,}""", EnvelopeError.Malformed)]
    [InlineData("""{"type":3/**/}""", EnvelopeError.Malformed)]
    [InlineData("""{type:3}""", EnvelopeError.Malformed)]
    [InlineData("""{"type":[],"a":tru}""", EnvelopeError.Malformed)]
    [InlineData("""{"type":"\uD83D"}""", EnvelopeError.Malformed)]
    [InlineData("3", EnvelopeError.NotAnObject)]
    [InlineData("null", EnvelopeError.NotAnObject)]
    [InlineData("""["type",3]""", EnvelopeError.NotAnObject)]
    [InlineData("\"{}\"", EnvelopeError.NotAnObject)]
    [InlineData("{}", EnvelopeError.MissingType)]
    [InlineData("""{"data":{"type":3}}""", EnvelopeError.MissingType)]
    [InlineData("""{"Type":3}""", EnvelopeError.MissingType)]
    [InlineData("""{"type":null}""", EnvelopeError.InvalidType)]
    [InlineData("""{"type":true}""", EnvelopeError.InvalidType)]
    [InlineData("""{"type":{"type":3}}""", EnvelopeError.InvalidType)]
    [InlineData("""{"type":[3]}""", EnvelopeError.InvalidType)]
    [InlineData("""{"type":3.5}""", EnvelopeError.InvalidType)]
    [InlineData("""{"type":2147483648}""", EnvelopeError.InvalidType)]
    [InlineData("""{"type":3,"type":3}""", EnvelopeError.DuplicateType)]
    [InlineData("""{"type":3,"a":1,"\u0074ype":"x"}""", EnvelopeError.DuplicateType)]
    [InlineData("""{"type":"abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz012"}""", EnvelopeError.UnknownType)]
    [InlineData("""{"a":{"b":{"c":{}}}}""", EnvelopeError.TooDeep)]
    [InlineData("""{"type":3,"a":[[[]]]}""", EnvelopeError.TooDeep)]
    [InlineData("""{"type":[[[]]]}""", EnvelopeError.TooDeep)]
    public void What_is_wrong_is_named(string json, EnvelopeError expected)
    {
        foreach (var cut in SequenceReplay.Cuts(Encoding.UTF8.GetBytes(json)))
        {
            Assert.Equal((expected, cut.How), (EnvelopeReader.Read(cut.Bytes, Small, out var envelope), cut.How));
            Assert.Equal(EnvelopeKind.None, envelope.Kind);
        }
    }

    [Fact]
    public void A_name_longer_than_any_escape_can_explain_is_unknown()
    {
        string json = $$"""{"type":"{{new string('x', 4000)}}"}""";
        Assert.Equal(EnvelopeError.UnknownType, EnvelopeReader.Read(SequenceReplay.ByteWise(Encoding.UTF8.GetBytes(json)), EnvelopeLimits.Default, out _));
    }

    [Fact]
    public void A_name_that_is_not_UTF8_is_malformed()
    {
        byte[] json = [.. "{\"type\":\""u8, 0xC3, 0x28, .. "\"}"u8];
        foreach (var cut in SequenceReplay.Cuts(json))
            Assert.Equal(EnvelopeError.Malformed, EnvelopeReader.Read(cut.Bytes, EnvelopeLimits.Default, out _));
    }

    [Fact]
    public void Size_and_depth_are_allowed_up_to_the_limit_and_no_further()
    {
        byte[] exact = Encoding.UTF8.GetBytes($$"""{"type":1,"a":[[{{new string(' ', 200 - 19)}}]]}""");
        Assert.Equal(200, exact.Length);
        Assert.Equal(EnvelopeError.None, EnvelopeReader.Read(new(exact), Small, out _));
        Assert.Equal(EnvelopeError.TooLarge, EnvelopeReader.Read(new([.. exact, (byte)' ']), Small, out _));
        Assert.Equal(EnvelopeError.None, EnvelopeReader.Read(new("""{"type":1}"""u8.ToArray()), new() { MaxDepth = 1 }, out _));
        Assert.Equal(EnvelopeError.TooDeep, EnvelopeReader.Read(new("""{"type":1,"a":{}}"""u8.ToArray()), new() { MaxDepth = 1 }, out _));
    }

    [Fact]
    public void Limits_refuse_what_makes_no_sense()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new EnvelopeLimits { MaxBytes = 1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new EnvelopeLimits { MaxBytes = int.MaxValue });
        Assert.Throws<ArgumentOutOfRangeException>(() => new EnvelopeLimits { MaxDepth = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new EnvelopeLimits { MaxDepth = 1001 });
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        var whole = SequenceReplay.Whole("""{"message":"hello","data":{"a":[1,2,3]},"type":"resume"}"""u8);
        var cut = SequenceReplay.Chunks("""{"message":"hello","data":{"a":[1,2,3]},"type":"resume"}"""u8, 7);
        int errors = 0;
        void Run()
        {
            if (EnvelopeReader.Read(whole, EnvelopeLimits.Default, out _) != EnvelopeError.None) errors++;
            if (EnvelopeReader.Read(cut, EnvelopeLimits.Default, out _) != EnvelopeError.None) errors++;
        }

        for (int i = 0; i < 100; i++) Run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) Run();
        Assert.Equal((0, 0), (errors, GC.GetAllocatedBytesForCurrentThread() - before));
    }

    [Fact]
    public void Random_bytes_never_throw() =>
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes =>
        {
            EnvelopeReader.Read(new ReadOnlySequence<byte>(bytes), Small, out _);
            byte[] within = [.. "{\"type\":\""u8, .. bytes, .. "\"}"u8];
            var whole = EnvelopeReader.Read(new ReadOnlySequence<byte>(within), EnvelopeLimits.Default, out _);
            return whole == EnvelopeReader.Read(SequenceReplay.ByteWise(within), EnvelopeLimits.Default, out _);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_integer_and_any_short_name_come_back_as_they_were_written() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), ArbMap.Default.ArbFor<NonNull<string>>(), (code, text) =>
        {
            string name = new string([.. text.Get.Where(c => !char.IsSurrogate(c)).Take(20)]);
            byte[] coded = JsonSerializer.SerializeToUtf8Bytes(new { content = name, type = code });
            byte[] named = JsonSerializer.SerializeToUtf8Bytes(new { content = code, type = name });
            return EnvelopeReader.Read(new(coded), EnvelopeLimits.Default, out var c) == EnvelopeError.None && c.Code == code
                && EnvelopeReader.Read(new(named), EnvelopeLimits.Default, out var n) == EnvelopeError.None
                && Encoding.UTF8.GetString(n.Name) == name;
        }).QuickCheckThrowOnFailure();
}
