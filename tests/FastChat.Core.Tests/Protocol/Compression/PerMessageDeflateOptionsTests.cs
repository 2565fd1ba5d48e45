using FastChat.Protocol.Compression;

namespace FastChat.Core.Tests.Protocol.Compression;

public sealed class PerMessageDeflateOptionsTests
{
    [Theory]
    [InlineData(7, false)]
    [InlineData(8, true)]
    [InlineData(15, true)]
    [InlineData(16, false)]
    public void Window_bits_are_8_to_15(int bits, bool valid)
    {
        var options = new PerMessageDeflateOptions();
        Check(valid, () => options.ServerMaxWindowBits = bits, () => options.ServerMaxWindowBits, bits);
        Check(valid, () => options.ClientMaxWindowBits = bits, () => options.ClientMaxWindowBits, bits);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(9, true)]
    [InlineData(10, false)]
    public void Levels_are_1_to_9(int level, bool valid)
    {
        var options = new PerMessageDeflateOptions();
        Check(valid, () => options.CompressionLevel = level, () => options.CompressionLevel, level);
        Check(valid, () => options.MemoryLevel = level, () => options.MemoryLevel, level);
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, true)]
    [InlineData(int.MaxValue, true)]
    public void The_threshold_is_not_negative(int threshold, bool valid)
    {
        var options = new PerMessageDeflateOptions();
        Check(valid, () => options.Threshold = threshold, () => options.Threshold, threshold);
    }

    private static void Check(bool valid, Action set, Func<int> get, int value)
    {
        int before = get();
        if (valid) set();
        else Assert.Throws<ArgumentOutOfRangeException>(set);
        Assert.Equal(valid ? value : before, get());
    }
}
