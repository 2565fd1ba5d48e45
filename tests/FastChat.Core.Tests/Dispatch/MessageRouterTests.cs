using System.Buffers;
using System.Text;
using FastChat.Dispatch;
using FastChat.TestKit;

namespace FastChat.Core.Tests.Dispatch;

public sealed class MessageRouterTests
{
    private static readonly MessageRouter<string> Router = new MessageRouterBuilder<string>()
        .Map(0, "zero").Map(5, "five").Map(-7, "minus seven").Map("resume", "by name").Map("grüße", "ümlaut").Map("5", "the name 5").Build();

    [Theory]
    [InlineData("""{"type":0}""", "zero")]
    [InlineData("""{"type":-7}""", "minus seven")]
    [InlineData("""{"type":5,"data":{}}""", "five")]
    [InlineData("""{"type":"5"}""", "the name 5")]
    [InlineData("""{"message":"x","type":"resume"}""", "by name")]
    [InlineData("""{"type":"gr\u00fc\u00dfe"}""", "ümlaut")]
    public void A_message_reaches_its_handler(string json, string expected)
    {
        foreach (var cut in SequenceReplay.Cuts(Encoding.UTF8.GetBytes(json)))
        {
            Assert.Equal(EnvelopeError.None, Router.Route(cut.Bytes, out string? handler, out _));
            Assert.Equal(expected, handler);
        }
    }

    [Theory]
    [InlineData("""{"type":1}""", EnvelopeError.UnknownType)]
    [InlineData("""{"type":"Resume"}""", EnvelopeError.UnknownType)]
    [InlineData("""{"type":"resum"}""", EnvelopeError.UnknownType)]
    [InlineData("""{"type":""}""", EnvelopeError.UnknownType)]
    [InlineData("""{}""", EnvelopeError.MissingType)]
    [InlineData("""{"type":"resume","type":"resume"}""", EnvelopeError.DuplicateType)]
    [InlineData("""nonsense""", EnvelopeError.Malformed)]
    public void What_cannot_be_routed_says_why(string json, EnvelopeError expected)
    {
        Assert.Equal(expected, Router.Route(new(Encoding.UTF8.GetBytes(json)), out string? handler, out _));
        Assert.Null(handler);
    }

    [Fact]
    public void An_unknown_type_can_still_be_read()
    {
        Router.Route(new("""{"type":99}"""u8.ToArray()), out _, out var envelope);
        Assert.Equal((EnvelopeKind.Code, 99), (envelope.Kind, envelope.Code));
    }

    [Fact]
    public void The_limits_given_are_the_limits_applied()
    {
        var router = new MessageRouterBuilder<string>().Map(1, "one").Build(new() { MaxBytes = 12 });
        Assert.Equal(EnvelopeError.None, router.Route(new("""{"type":1}  """u8.ToArray()), out _, out _));
        Assert.Equal(EnvelopeError.TooLarge, router.Route(new("""{"type":1}   """u8.ToArray()), out _, out _));
        Assert.Equal(12, router.Limits.MaxBytes);
    }

    [Fact]
    public void A_table_without_entries_knows_nothing()
    {
        var router = new MessageRouterBuilder<string>().Build();
        Assert.Equal(EnvelopeError.UnknownType, router.Route(new("""{"type":1}"""u8.ToArray()), out _, out _));
        Assert.Equal(EnvelopeError.UnknownType, router.Route(new("""{"type":"a"}"""u8.ToArray()), out _, out _));
    }

    [Fact]
    public void A_type_is_mapped_once_and_a_name_is_short()
    {
        var builder = new MessageRouterBuilder<string>().Map(1, "a").Map("b", "b").Map(new string('n', Envelope.MaxNameBytes), "long");
        Assert.Throws<ArgumentException>(() => builder.Map(1, "again"));
        Assert.Throws<ArgumentException>(() => builder.Map("b", "again"));
        Assert.Throws<ArgumentException>(() => builder.Map("", "none"));
        Assert.Throws<ArgumentException>(() => builder.Map(new string('ü', Envelope.MaxNameBytes), "too long"));
    }

    [Fact]
    public void A_router_does_not_change_after_it_was_built()
    {
        var builder = new MessageRouterBuilder<string>().Map(1, "one");
        var router = builder.Build();
        builder.Map(2, "two");
        Assert.False(router.TryFind(2, out _));
        Assert.True(builder.Build().TryFind(2, out _));
    }

    [Fact]
    public void Routing_allocates_nothing()
    {
        var coded = new ReadOnlySequence<byte>("""{"data":{"user_id":"u"},"type":5}"""u8.ToArray());
        var named = new ReadOnlySequence<byte>("""{"message_id":"m","type":"resume"}"""u8.ToArray());
        int errors = 0;
        void Run()
        {
            if (Router.Route(coded, out _, out _) != EnvelopeError.None) errors++;
            if (Router.Route(named, out _, out _) != EnvelopeError.None) errors++;
        }

        for (int i = 0; i < 100; i++) Run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) Run();
        Assert.Equal((0, 0), (errors, GC.GetAllocatedBytesForCurrentThread() - before));
    }
}
