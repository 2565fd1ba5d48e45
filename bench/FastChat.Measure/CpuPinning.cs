using System.Diagnostics;
using System.Runtime.InteropServices;

namespace FastChat.Measure;

/// <summary>Starts processes that stay on certain CPUs, where the system can be told.</summary>
internal static partial class CpuPinning
{
    private const int MaskBytes = 128; // as glibc's cpu_set_t: 1,024 CPUs

    public static bool IsSupported => OperatingSystem.IsLinux() || OperatingSystem.IsWindows();

    /// <summary>The CPUs that this process may use, where that can be told; else none.</summary>
    public static IReadOnlyList<int> Allowed { get; } = ReadAllowed();

    /// <summary>Starts a process on these CPUs; on any where there are none given, or the system has no such thing.</summary>
    /// <exception cref="InvalidOperationException">This process may not use one of them.</exception>
    public static Process Start(ProcessStartInfo start, IReadOnlyList<int> cpus)
    {
        if (cpus.Count == 0 || !IsSupported) return Process.Start(start)!;
        if (OperatingSystem.IsWindows())
        {
            var process = Process.Start(start)!;
            process.ProcessorAffinity = cpus.Aggregate((nint)0, (mask, cpu) => mask | ((nint)1 << cpu));
            return process;
        }
        // A child inherits the mask of the thread that forks it, and has it from its first instruction on.
        byte[] before = new byte[MaskBytes];
        byte[] wanted = new byte[MaskBytes];
        foreach (int cpu in cpus) wanted[cpu / 8] |= (byte)(1 << (cpu % 8));
        if (sched_getaffinity(0, MaskBytes, before) < 0 || sched_setaffinity(0, MaskBytes, wanted) < 0)
            throw new InvalidOperationException($"This process may not use CPU {string.Join(" and ", cpus)}.");
        try
        {
            return Process.Start(start)!;
        }
        finally
        {
            _ = sched_setaffinity(0, MaskBytes, before);
        }
    }

    private static int[] ReadAllowed()
    {
        byte[] mask = new byte[MaskBytes];
        if (OperatingSystem.IsLinux() && sched_getaffinity(0, MaskBytes, mask) < 0) return [];
        if (OperatingSystem.IsWindows())
        {
            using var self = Process.GetCurrentProcess();
            BitConverter.TryWriteBytes(mask, (long)self.ProcessorAffinity);
        }
        return [.. Enumerable.Range(0, MaskBytes * 8).Where(cpu => (mask[cpu / 8] >> (cpu % 8) & 1) != 0)];
    }

    [LibraryImport("libc")]
    private static partial int sched_getaffinity(int thread, nint size, [Out] byte[] mask);

    [LibraryImport("libc")]
    private static partial int sched_setaffinity(int thread, nint size, byte[] mask);
}
