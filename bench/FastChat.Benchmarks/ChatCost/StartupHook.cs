using System.Globalization;

/// <summary>
/// Runs in a server that is measured, before its Main (DOTNET_STARTUP_HOOKS): a thread that answers on the process's own input and output.
/// So what is measured is the program that is shipped, with its own settings of the runtime.
/// </summary>
#pragma warning disable CA1050 // The runtime wants this name in no namespace.
internal static class StartupHook
#pragma warning restore CA1050
{
    public const string Question = "?";

    public static void Initialize()
    {
        var input = Console.In;
        new Thread(() => Answer(input)) { IsBackground = true, Name = "probe" }.Start();
    }

    private static void Answer(TextReader input)
    {
        while (input.ReadLine() is { } line)
        {
            if (line != Question) continue;
            // The process's own count of its CPU time: that of /proc has steps of 10 ms.
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{Environment.CpuUsage.TotalTime.TotalSeconds:F6} {GC.GetTotalAllocatedBytes()} {GC.CollectionCount(0)}"));
            Console.Out.Flush();
        }
        // Whoever asked is gone, and nobody else would end this process.
        Environment.Exit(1);
    }
}
