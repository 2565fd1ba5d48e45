using FastChat.LoadTests.Load;

namespace FastChat.LoadTests.Tests;

/// <summary>Results as a run has them.</summary>
internal static class Results
{
    /// <summary>Ten operations of 1 to 10 ms in two seconds, two of which failed, with one chunk and one double.</summary>
    public static ScenarioResult Sample(string name = "streams")
    {
        var answer = new LatencyMetric("answer");
        for (int ms = 1; ms <= 10; ms++) answer.Add(TimeSpan.FromMilliseconds(ms));
        var chunk = new LatencyMetric("chunk");
        chunk.Add(TimeSpan.FromMilliseconds(1));
        return new ScenarioResult
        {
            Name = name,
            Title = "Streams <all at once>",
            Details = "What is done & verified.",
            Settings = new Dictionary<string, string> { ["connections"] = "10" },
            Seconds = 2,
            Operations = 10,
            Errors = 2,
            Lost = 0,
            Doubled = 1,
            Reordered = 0,
            Wrong = 0,
            Chunks = 1,
            ChunkMessages = 1,
            MostSockets = 10,
            ErrorKinds = [new("The server said: busy, \"wait\"", 2)],
            Latencies = [LatencyResult.Of(answer, "to the end"), LatencyResult.Of(chunk, "to a chunk"), LatencyResult.Of(new LatencyMetric("ack"), "never came")],
            Timeline =
            [
                new(1, "before", 6, 0, 3, 9, 10, 40, 4, 10, 0.4, 60 << 20, 0.2),
                new(2, "after", 4, 2, 4, 9, 10, 20, 0, 10, 0.6, 70 << 20, 0.3),
            ],
            Server = new ServerUsage(1, 40 << 20, 60 << 20, 70 << 20, 70 << 20, null),
            ClientCpuSeconds = 0.5,
        };
    }
}
