using FastChat.LoadTests.Thresholds;

namespace FastChat.LoadTests.Tests.Thresholds;

public class QuantityTests
{
    [Theory]
    [InlineData("250us", 0.25)]
    [InlineData("1.5 ms", 1.5)]
    [InlineData("30s", 30_000)]
    [InlineData("5m", 300_000)]
    [InlineData("2h", 7_200_000)]
    [InlineData("0", 0)]
    public void Times_are_read(string text, double milliseconds)
    {
        Assert.True(Quantity.TryParseTime(text, out var time));
        Assert.Equal(milliseconds, time.TotalMilliseconds, 6);
    }

    [Theory]
    [InlineData("")]
    [InlineData("30")]
    [InlineData("-1s")]
    [InlineData("s")]
    [InlineData("1MiB")]
    [InlineData("1.2.3s")]
    [InlineData("99999999h")]
    public void What_is_no_time_is_not(string text) => Assert.False(Quantity.TryParseTime(text, out _));

    [Theory]
    [InlineData(0, "0")]
    [InlineData(0.0004, "0.4 µs")]
    [InlineData(0.25, "250 µs")]
    [InlineData(1.234, "1.23 ms")]
    [InlineData(12.34, "12.3 ms")]
    [InlineData(999.7, "1 s")]
    [InlineData(61_000, "61 s")]
    [InlineData(600_000, "10 min")]
    public void Times_are_shown_with_the_unit_that_suits_them(double milliseconds, string text) => Assert.Equal(text, Quantity.Show(milliseconds, QuantityKind.Time));

    [Theory]
    [InlineData(900, "900 B")]
    [InlineData(41_943_040, "40 MiB")]
    [InlineData(-2048, "-2 KiB")]
    [InlineData(1.5 * (1 << 30), "1.5 GiB")]
    public void Memory_too(double bytes, string text) => Assert.Equal(text, Quantity.Show(bytes, QuantityKind.Bytes));
}
