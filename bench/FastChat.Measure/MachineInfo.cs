using System.Runtime.InteropServices;

namespace FastChat.Measure;

/// <summary>What figures depend on.</summary>
/// <param name="Processor">Its name.</param>
/// <param name="Cores">Logical ones.</param>
/// <param name="MemoryBytes">In all.</param>
/// <param name="System">Operating system and kernel.</param>
/// <param name="Runtime">.NET's version.</param>
internal sealed record MachineInfo(string Processor, int Cores, long MemoryBytes, string System, string Runtime)
{
    public static MachineInfo Read() => new(ReadProcessor(), Environment.ProcessorCount, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
        $"{RuntimeInformation.OSDescription} {RuntimeInformation.OSArchitecture}, kernel {ReadKernel()}", RuntimeInformation.FrameworkDescription);

    private static string ReadKernel()
    {
        const string release = "/proc/sys/kernel/osrelease";
        return File.Exists(release) ? File.ReadAllText(release).Trim() : Environment.OSVersion.Version.ToString();
    }

    private static string ReadProcessor()
    {
        const string cpuInfo = "/proc/cpuinfo";
        string? line = File.Exists(cpuInfo) ? File.ReadLines(cpuInfo).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?.Split(':', 2)[^1].Trim() ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
