#if NBOMBER
using FastChat.LoadTests.Load;
using NBomber.Contracts;
using NBomber.Contracts.Stats;
using NBomber.CSharp;

namespace FastChat.LoadTests.Adapters;

/// <summary>
/// Has NBomber start the operations of a scenario, so that they come with NBomber's statistics and reports as well. What an operation does
/// and checks is the same; its latencies count from when NBomber started it.
/// </summary>
/// <param name="name">The scenario's.</param>
/// <param name="folder">Where NBomber's reports go.</param>
/// <param name="time">The clock.</param>
internal sealed class NBomberLoop(string name, string folder, TimeProvider time) : ILoop
{
    public Task RunAsync(ArrivalSchedule schedule, Measurements into, Func<Arrival, long, Task> operate, CancellationToken cancellationToken)
    {
        int index = -1;
        long begin = time.GetTimestamp();
        var scenario = Scenario.Create(name, async context =>
        {
            if (cancellationToken.IsCancellationRequested) context.StopCurrentTest("interrupted");
            long due = time.GetTimestamp();
            var elapsed = time.GetElapsedTime(begin, due);
            into.Start();
            try
            {
                await operate(new Arrival(Interlocked.Increment(ref index), elapsed, schedule.At(elapsed) ?? schedule.Phases[^1]), due);
                into.Succeeded();
                return Response.Ok();
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                into.Abandoned();
                return Response.Ok();
            }
            catch (Exception e)
            {
                string why = OpenLoop.Describe(e);
                into.Failed(why);
                return Response.Fail(message: why);
            }
        }).WithoutWarmUp().WithLoadSimulations([.. schedule.Phases.Where(p => p.Duration > TimeSpan.Zero).Select(Simulate)]);
        // It blocks its thread until the end.
        return Task.Run(() => NBomberRunner.RegisterScenarios(scenario).WithReportFolder(folder).WithReportFormats(ReportFormat.Html, ReportFormat.Csv, ReportFormat.Md).Run(), CancellationToken.None);
    }

    // NBomber's rates are whole numbers in an interval: the interval makes them exact.
    private static LoadSimulation Simulate(Phase phase)
    {
        double rate = (phase.FromRate + phase.ToRate) / 2;
        if (rate == 0) return Simulation.Pause(phase.Duration);
        int whole = Math.Max(1, (int)Math.Round(rate));
        return Simulation.Inject(whole, TimeSpan.FromSeconds(whole / rate), phase.Duration);
    }
}
#endif
