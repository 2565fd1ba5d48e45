using FastChat.LoadTests.Scenarios;

namespace FastChat.LoadTests.Load;

/// <summary>Where a run is.</summary>
/// <param name="Scenario">Which.</param>
/// <param name="Elapsed">Since operations began.</param>
/// <param name="Duration">When the last one is due.</param>
/// <param name="Measurements">As they are.</param>
/// <param name="Latest">The last look.</param>
internal sealed record RunProgress(ScenarioDefinition Scenario, TimeSpan Elapsed, TimeSpan Duration, Measurements Measurements, TimelinePoint Latest);

/// <summary>Whoever is told how a run goes.</summary>
internal interface IRunView
{
    /// <summary>What is being done now, in a few words.</summary>
    void Stage(string text);

    /// <summary>Another look at the run.</summary>
    void Show(RunProgress progress);
}
