using FastChat.Storage;
using FastChat.TestKit;

namespace FastChat.Core.Tests.Storage;

public sealed class StoreIdTests
{
    [Fact]
    public void An_id_is_url_safe_and_of_fixed_length()
    {
        var time = new FakeTimeProvider();
        Assert.All(Enumerable.Range(0, 1000), _ => Assert.Matches("^[0-9a-hjkmnp-tv-z]{36}$", StoreId.New(time.GetUtcNow())));
    }

    [Fact]
    public void Ids_are_in_the_order_of_their_milliseconds()
    {
        var ids = Enumerable.Range(0, 2000).Select(i => StoreId.New(DateTimeOffset.UnixEpoch.AddMilliseconds(i * 977L * 1_000_000))).ToList();
        Assert.Equal(ids.Order(StringComparer.Ordinal), ids);
    }

    [Fact]
    public void Ids_of_one_moment_differ_in_every_random_place()
    {
        var now = new FakeTimeProvider().GetUtcNow();
        var ids = Enumerable.Range(0, 2000).Select(_ => StoreId.New(now)).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.Single(ids.Select(id => id[..10]).Distinct());
        // 32 digits, 2000 draws: the chance that one of the 26 places misses a digit is about 1e-25.
        Assert.All(Enumerable.Range(10, 26), place => Assert.Equal(32, ids.Select(id => id[place]).Distinct().Count()));
    }
}
