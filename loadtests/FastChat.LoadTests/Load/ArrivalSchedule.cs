namespace FastChat.LoadTests.Load;

/// <summary>A stretch of time in which the rate goes from one value to another in a straight line.</summary>
/// <param name="Duration">How long.</param>
/// <param name="FromRate">Arrivals a second at its beginning.</param>
/// <param name="ToRate">Arrivals a second at its end.</param>
/// <param name="Name">Empty where the scenario has but one phase.</param>
internal sealed record Phase(TimeSpan Duration, double FromRate, double ToRate, string Name = "")
{
    /// <summary>How many arrive in it.</summary>
    public double Arrivals => (FromRate + ToRate) / 2 * Duration.TotalSeconds;
}

/// <summary>One arrival.</summary>
/// <param name="Index">From 0.</param>
/// <param name="Due">When it has to start, counted from the beginning of the run.</param>
/// <param name="Phase">The phase it is in.</param>
internal readonly record struct Arrival(int Index, TimeSpan Due, Phase Phase);

/// <summary>
/// When operations start, settled before the run: an open loop. What the server does changes nothing about it, so a server that stalls is
/// charged for everything that would have started meanwhile.
/// </summary>
internal sealed class ArrivalSchedule
{
    private readonly IReadOnlyList<Phase> _phases;
    private readonly int? _seed;

    /// <param name="phases">One after the other.</param>
    /// <param name="seed">For arrivals at random (a Poisson process) around the rate; null for even distances.</param>
    public ArrivalSchedule(IReadOnlyList<Phase> phases, int? seed = null)
    {
        if (phases.Any(p => p.Duration < TimeSpan.Zero || p.FromRate < 0 || p.ToRate < 0)) throw new ArgumentException("A phase has a negative duration or rate.", nameof(phases));
        (_phases, _seed) = (phases, seed);
    }

    public IReadOnlyList<Phase> Phases => _phases;

    public TimeSpan Duration => _phases.Aggregate(TimeSpan.Zero, (sum, p) => sum + p.Duration);

    /// <summary>The phase at a time; null beyond the last.</summary>
    public Phase? At(TimeSpan elapsed)
    {
        foreach (var phase in _phases)
        {
            if (elapsed <= phase.Duration) return phase;
            elapsed -= phase.Duration;
        }
        return null;
    }

    /// <summary>A fixed number of arrivals at a rate.</summary>
    public static ArrivalSchedule Of(int count, double rate, int? seed = null) => new([new Phase(TimeSpan.FromSeconds(count / rate), rate, rate)], seed);

    /// <summary>The beginning of this schedule.</summary>
    public ArrivalSchedule First(TimeSpan duration)
    {
        var phases = new List<Phase>();
        foreach (var phase in _phases)
        {
            if (duration <= TimeSpan.Zero) break;
            var length = phase.Duration <= duration ? phase.Duration : duration;
            double share = phase.Duration > TimeSpan.Zero ? length / phase.Duration : 1;
            phases.Add(phase with { Duration = length, ToRate = phase.FromRate + (phase.ToRate - phase.FromRate) * share });
            duration -= length;
        }
        return new ArrivalSchedule(phases, _seed);
    }

    public IEnumerable<Arrival> Arrivals()
    {
        var random = _seed is { } seed ? new Random(seed) : null;
        int index = 0;
        double before = 0;
        var start = TimeSpan.Zero;
        // In "expected number of arrivals so far" the process is even, or Poisson with rate 1; the phases map that to time.
        double next = Gap(random) * (random is null ? 0 : 1);
        foreach (var phase in _phases)
        {
            for (; next < before + phase.Arrivals - 1e-9; next += Gap(random)) yield return new Arrival(index++, start + TimeWithin(phase, next - before), phase);
            before += phase.Arrivals;
            start += phase.Duration;
        }
    }

    private static double Gap(Random? random) => random is null ? 1 : -Math.Log(1 - random.NextDouble());

    /// <summary>When so many have arrived: the root of rate0 t + slope t^2 / 2 = count, in the form that needs no division by the slope.</summary>
    private static TimeSpan TimeWithin(Phase phase, double count)
    {
        if (count <= 0) return TimeSpan.Zero;
        double slope = (phase.ToRate - phase.FromRate) / phase.Duration.TotalSeconds;
        double root = Math.Sqrt(Math.Max(0, phase.FromRate * phase.FromRate + 2 * slope * count));
        return TimeSpan.FromSeconds(Math.Min(2 * count / (phase.FromRate + root), phase.Duration.TotalSeconds));
    }
}
