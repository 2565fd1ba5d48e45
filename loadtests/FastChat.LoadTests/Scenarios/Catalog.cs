namespace FastChat.LoadTests.Scenarios;

/// <summary>All scenarios.</summary>
internal static class Catalog
{
    public static IReadOnlyList<ScenarioDefinition> All { get; } =
    [
        ConnectScenario.Storm,
        ChatScenario.Chat,
        ConnectScenario.Idle,
        StreamsScenario.Definition,
        FanOutScenario.Definition,
        SlowScenario.Definition,
        ReconnectScenario.Definition,
        RestScenario.Definition,
        ChatScenario.Spike,
        SoakScenario.Definition,
    ];
}
