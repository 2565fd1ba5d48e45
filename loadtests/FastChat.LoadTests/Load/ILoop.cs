namespace FastChat.LoadTests.Load;

/// <summary>What starts a scenario's operations.</summary>
internal interface ILoop
{
    /// <summary>Runs a schedule, and returns when everything it started has ended. Operations must be bounded in time themselves.</summary>
    /// <param name="schedule">When to start.</param>
    /// <param name="into">Gets starts, ends and lateness.</param>
    /// <param name="operate">One operation; it is given when it was due, as a timestamp of the clock.</param>
    /// <param name="cancellationToken">Starts no more.</param>
    Task RunAsync(ArrivalSchedule schedule, Measurements into, Func<Arrival, long, Task> operate, CancellationToken cancellationToken);
}
