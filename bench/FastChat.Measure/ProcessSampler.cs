using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace FastChat.Measure;

/// <summary>Reads what a process has used so far. Where the system does not tell, null.</summary>
internal static class ProcessSampler
{
    // USER_HZ, which /proc counts in, is 100 on every Linux that .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>User and kernel time in seconds.</summary>
    public static double? CpuSeconds(int processId) => OperatingSystem.IsLinux()
        ? ReadProc($"/proc/{processId}/stat") is { } stat ? ParseCpu(stat) : null
        : Ask(processId, p => p.TotalProcessorTime.TotalSeconds);

    /// <summary>Resident memory in bytes.</summary>
    public static long? RssBytes(int processId)
    {
        // smaps_rollup counts pages; what status says lags behind by some pages a thread.
        if (OperatingSystem.IsLinux() && ReadProc($"/proc/{processId}/smaps_rollup") is { } maps && ParseRss(maps) is { } rss) return rss;
        return Ask(processId, p => p.WorkingSet64) is { } workingSet ? (long)workingSet : null;
    }

    /// <summary>Seconds that a CPU was not idle, whoever had it; null but on Linux.</summary>
    public static double? BusySeconds(int cpu) => OperatingSystem.IsLinux() && ReadProc("/proc/stat") is { } stat ? ParseBusy(stat, cpu) : null;

    internal static double? ParseCpu(string stat)
    {
        // The second field is the name in brackets, and may hold anything; utime and stime are the 14th and 15th.
        string[] fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 12 && Number(fields[11]) is { } user && Number(fields[12]) is { } system ? (user + system) / TicksPerSecond : null;
    }

    internal static long? ParseRss(string maps)
    {
        foreach (var line in maps.AsSpan().EnumerateLines())
            if (line.StartsWith("Rss:") && Number(line[4..].Trim().ToString().Split(' ')[0]) is { } kilobytes) return (long)kilobytes * 1024;
        return null;
    }

    internal static double? ParseBusy(string stat, int cpu)
    {
        string name = $"cpu{cpu} ";
        foreach (var line in stat.AsSpan().EnumerateLines())
        {
            if (!line.StartsWith(name)) continue;
            double[] fields = [.. line[name.Length..].ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(f => Number(f) ?? 0)];
            // user nice system idle iowait irq softirq steal; guests are in user already.
            return fields.Length >= 8 ? (fields.Take(8).Sum() - fields[3] - fields[4]) / TicksPerSecond : null;
        }
        return null;
    }

    private static double? Number(string text) => double.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out double value) ? value : null;

    private static string? ReadProc(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static double? Ask(int processId, Func<Process, double> ask)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            return ask(process);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or Win32Exception or NotSupportedException)
        {
            return null;
        }
    }
}
