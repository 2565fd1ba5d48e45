using System.Globalization;
using FastChat.LoadTests.Adapters;
using FastChat.LoadTests.Scenarios;
using FastChat.LoadTests.Target;
using FastChat.LoadTests.Thresholds;

namespace FastChat.LoadTests.Load;

/// <summary>Runs one scenario: a server where none is given, warm-up, preparation, the open loop, the checks at the end.</summary>
internal sealed class ScenarioRun(ScenarioDefinition definition, ScenarioSettings settings, RunOptions options, IReadOnlyList<Threshold> thresholds, IRunView view, TimeProvider time)
{
    // What is not the run itself may take so long before it is given up.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Measurements _measurements = new(definition.Latencies.Select(l => l.Name));
    private readonly string _tag = string.Create(CultureInfo.InvariantCulture, $"load{Random.Shared.Next():x8}");
    private Sampler? _sampler;
    private ServerUsage? _usage;
    private double _seconds;
    private string? _failure;

    /// <summary>Runs it. What fails is in the result; an interrupted run has the result so far.</summary>
    public async Task<ScenarioResult> RunAsync(CancellationToken cancellationToken)
    {
        OwnServer? own = null;
        try
        {
            Descriptors.Check(definition.Sockets(settings));
            if (options.Url is null)
            {
                view.Stage("starting the server");
                own = await OwnServer.StartAsync(ServerSettings(), options.ServerCpus, cancellationToken);
            }
            await RunAsync(own, cancellationToken);
        }
        catch (LoadException e)
        {
            _failure = e.Message;
        }
        catch (OperationCanceledException)
        {
            _failure = cancellationToken.IsCancellationRequested ? "Interrupted." : $"{definition.Name} did not end in time.";
        }
        finally
        {
            if (own is not null)
            {
                if (!cancellationToken.IsCancellationRequested) _failure = await own.FailureAsync() ?? _failure;
                await own.DisposeAsync();
            }
        }
        var result = Result();
        // Where nothing was done, nothing is kept either.
        return result.Operations == 0 ? result : result with { Thresholds = [.. thresholds.Select(t => t.Evaluate(result))] };
    }

    private Dictionary<string, string> ServerSettings()
    {
        Dictionary<string, string> all = new(definition.Server(settings), StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in options.ServerSettings) all[key] = value;
        return all;
    }

    private async Task RunAsync(OwnServer? own, CancellationToken cancellationToken)
    {
        var address = own?.Address ?? options.Url!;
        await using var target = new ChatTarget(new TargetOptions(address, options.Timeout)
        {
            Secret = own?.Secret ?? options.Secret,
            Token = own is null ? options.Token : null,
            Insecure = options.Insecure,
            AnyModel = options.AnyModel,
        }, time);
        await target.CheckAsync(cancellationToken);
        int? processId = own?.ProcessId ?? options.ProcessId;
        long? rssStart = processId is { } id ? ProcessSampler.RssBytes(id) : null;
        await WarmUpAsync(target, cancellationToken);

        await using var scenario = definition.Create(new ScenarioContext(target, settings, _measurements, _tag, options.Seed, options.IsPoisson));
        view.Stage("preparing users and sessions");
        await BoundedAsync(scenario.PrepareAsync, Patience, cancellationToken);
        GC.Collect();
        _sampler = new Sampler(_measurements, processId, rssStart, time);
        await MeasureAsync(scenario, own, cancellationToken);
        view.Stage("checking at the end");
        await BoundedAsync(scenario.FinishAsync, Patience, cancellationToken);
        view.Stage("closing");
    }

    private async Task WarmUpAsync(ChatTarget target, CancellationToken cancellationToken)
    {
        var length = options.WarmUp ?? (Quantity.TryParseTime(definition.WarmUp, out var own) ? own : default);
        if (length <= TimeSpan.Zero) return;
        view.Stage("warming up");
        var unmeasured = new Measurements(definition.Latencies.Select(l => l.Name));
        await using var scenario = definition.Create(new ScenarioContext(target, settings, unmeasured, _tag + "w", options.Seed, options.IsPoisson));
        await BoundedAsync(scenario.PrepareAsync, Patience, cancellationToken);
        await LoopAsync(new OpenLoop(time, options.MaxInFlight), scenario, scenario.Schedule.First(length), unmeasured, cancellationToken);
        if (unmeasured.Operations > 0 && unmeasured.Errors == unmeasured.Operations)
            throw new LoadException($"Nothing succeeded while warming up: {unmeasured.ErrorKinds[0].Key}");
    }

    private async Task MeasureAsync(Scenario scenario, OwnServer? own, CancellationToken cancellationToken)
    {
        view.Stage("");
        var schedule = scenario.Schedule;
        _sampler!.Begin();
        using var ended = new CancellationTokenSource();
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sampling = SampleAsync(schedule, own, broken, ended.Token);
        try
        {
            await LoopAsync(Loops.Create(definition.Name, options, time), scenario, schedule, _measurements, broken.Token);
        }
        finally
        {
            await ended.CancelAsync();
            await sampling;
            _seconds = _sampler.Elapsed.TotalSeconds;
            _usage = _sampler.Usage();
        }
        cancellationToken.ThrowIfCancellationRequested();
        if (own is { HasExited: true }) throw new LoadException("The server ended.");
        if (_measurements.Operations == 0) throw new LoadException("No operation was due in that time: there is nothing to judge.");
    }

    private async Task LoopAsync(ILoop loop, Scenario scenario, ArrivalSchedule schedule, Measurements into, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(schedule.Duration + options.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        await loop.RunAsync(schedule, into, (arrival, due) => scenario.OperateAsync(arrival, due, either.Token), cancellationToken);
    }

    private async Task SampleAsync(ArrivalSchedule schedule, OwnServer? own, CancellationTokenSource broken, CancellationToken ended)
    {
        var interval = Sampler.Interval(schedule.Duration);
        while (!ended.IsCancellationRequested)
        {
            // A look is at what has been since the one before: it belongs to the phase of that time.
            string phase = schedule.At(_sampler!.Elapsed) is { } now ? now.Name : schedule.Phases.Count > 1 ? "end" : "";
            await Task.Delay(interval, time, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            view.Show(new RunProgress(definition, _sampler.Elapsed, schedule.Duration, _measurements, _sampler.Look(phase)));
            // Every operation would fail one by one; there is nothing more to learn from that.
            if (own is { HasExited: true }) await broken.CancelAsync();
        }
    }

    private async Task BoundedAsync(Func<CancellationToken, Task> run, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            await run(either.Token);
        }
        catch (Exception e) when (e is not (LoadException or OperationCanceledException))
        {
            throw new LoadException(OpenLoop.Describe(e), e);
        }
    }

    private ScenarioResult Result() => new()
    {
        Name = definition.Name,
        Title = definition.Title,
        Details = definition.Details,
        Settings = settings.Texts,
        Seconds = _seconds,
        Operations = _measurements.Operations,
        Errors = _measurements.Errors,
        Lost = _measurements.Lost,
        Doubled = _measurements.Doubled,
        Reordered = _measurements.Reordered,
        Wrong = _measurements.Wrong,
        Chunks = _measurements.Chunks,
        ChunkMessages = _measurements.ChunkMessages,
        MostSockets = _measurements.MostSockets,
        ErrorKinds = _measurements.ErrorKinds,
        Latencies = [.. _measurements.Latencies.Select(l => LatencyResult.Of(l, definition.Latencies.FirstOrDefault(i => i.Name == l.Name)?.Help ?? "how late this program itself started operations; it is part of the other latencies"))],
        Timeline = [.. _sampler?.Points ?? []],
        Server = _usage,
        ClientCpuSeconds = _sampler?.ClientCpuSeconds,
        Failure = _failure,
    };
}
