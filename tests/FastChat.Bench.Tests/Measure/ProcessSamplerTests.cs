namespace FastChat.Bench.Tests.Measure;

public class ProcessSamplerTests
{
    [Theory]
    [InlineData("1234 (echo) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0", 2.0)]
    [InlineData("1234 (a ) b (c) R 1 2 3 4 5 6 7 8 9 10 1 2 0 0 20 0", 0.03)]
    public void Cpu_time_is_user_and_system_whatever_the_name(string stat, double seconds) => Assert.Equal(seconds, ProcessSampler.ParseCpu(stat));

    [Fact]
    public void A_stat_that_is_cut_off_has_no_cpu_time() => Assert.Null(ProcessSampler.ParseCpu("1234 (echo) S 1 2 3"));

    [Fact]
    public void Rss_is_read_in_kilobytes()
    {
        Assert.Equal(65536 * 1024L, ProcessSampler.ParseRss("55d0-7ffe ---p 00000000 00:00 0 [rollup]\nRss:               65536 kB\nPss: 1 kB\n"));
        Assert.Null(ProcessSampler.ParseRss("Pss: 1 kB\n"));
    }

    [Fact]
    public void A_cpu_is_busy_when_it_neither_idles_nor_waits()
    {
        const string stat = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu1 100 20 30 5000 40 5 6 7 0 0\ncpu10 1 1 1 1 1 1 1 1 0 0\nintr 1\n";
        Assert.Equal(1.68, ProcessSampler.ParseBusy(stat, 1)!.Value, 6);
        Assert.Null(ProcessSampler.ParseBusy(stat, 2));
    }

    [Fact]
    public void This_process_has_used_time_and_memory()
    {
        Assert.True(ProcessSampler.CpuSeconds(Environment.ProcessId) > 0);
        Assert.True(ProcessSampler.RssBytes(Environment.ProcessId) > 1 << 20);
    }

    [Fact]
    public void A_process_that_is_not_there_has_none()
    {
        Assert.Null(ProcessSampler.CpuSeconds(int.MaxValue));
        Assert.Null(ProcessSampler.RssBytes(int.MaxValue));
    }
}
