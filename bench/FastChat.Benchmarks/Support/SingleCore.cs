using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace FastChat.Benchmarks.Support;

/// <summary>Keeps all threads of this process on one core until disposed of, so that elapsed time is CPU time; where the OS lets itself be told.</summary>
internal sealed partial class SingleCore : IDisposable
{
    private readonly nint _before;

    /// <param name="cpu">Which one.</param>
    public SingleCore(int cpu = 0)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsWindows()) return;
        using var process = Process.GetCurrentProcess();
        _before = process.ProcessorAffinity;
        Set(process, (nint)1 << cpu);
    }

    public void Dispose()
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsWindows()) return;
        using var process = Process.GetCurrentProcess();
        Set(process, _before);
    }

    private static void Set(Process process, nint mask)
    {
        if (OperatingSystem.IsWindows()) process.ProcessorAffinity = mask;
        if (!OperatingSystem.IsLinux()) return;
        // Linux knows the affinity of threads only; those that start later inherit it.
        foreach (string task in Directory.EnumerateDirectories("/proc/self/task"))
            _ = sched_setaffinity(int.Parse(Path.GetFileName(task), CultureInfo.InvariantCulture), nint.Size, mask);
    }

    [LibraryImport("libc")]
    private static partial int sched_setaffinity(int thread, nint size, in nint mask);
}
