using FastChat.LoadTests.Load;

namespace FastChat.LoadTests.Adapters;

/// <summary>Which loops this build has.</summary>
internal static class Loops
{
    /// <summary>A loop for what is measured.</summary>
    /// <param name="scenario">Its name.</param>
    /// <param name="options">How to run.</param>
    /// <param name="time">The clock.</param>
    public static ILoop Create(string scenario, RunOptions options, TimeProvider time) =>
#if NBOMBER
        options.NBomberFolder is { } folder ? new NBomberLoop(scenario, Path.Combine(folder, scenario), time) :
#endif
        new OpenLoop(time, options.MaxInFlight);

    /// <exception cref="FormatException">This build has no NBomber.</exception>
    public static void CheckNBomber()
    {
#if !NBOMBER
        throw new FormatException("--nbomber: this build has no NBomber; build it with -p:NBomber=true.");
#endif
    }
}
