namespace FastChat.LoadTests.Load;

/// <summary>What all scenarios have in common.</summary>
internal sealed record RunOptions
{
    /// <summary>The server; null to start one.</summary>
    public Uri? Url { get; init; }

    public string? Token { get; init; }

    public string? Secret { get; init; }

    public bool Insecure { get; init; }

    public bool AnyModel { get; init; }

    /// <summary>The process of the server at <see cref="Url"/>, where it is on this machine; null for none to look at.</summary>
    public int? ProcessId { get; init; }

    /// <summary>CPUs for a server of our own; none for all.</summary>
    public IReadOnlyList<int> ServerCpus { get; init; } = [];

    /// <summary>Settings for a server of our own, by the keys of its configuration.</summary>
    public IReadOnlyDictionary<string, string> ServerSettings { get; init; } = new Dictionary<string, string>();

    /// <summary>Unmeasured load beforehand; null for what the scenario says.</summary>
    public TimeSpan? WarmUp { get; init; }

    /// <summary>For each request, connection and answer; and for what is under way when the last operation has been due.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    public int MaxInFlight { get; init; } = 50_000;

    public int Seed { get; init; } = 1;

    public bool IsPoisson { get; init; }

    /// <summary>Where NBomber's reports go, where it is to start the operations; null for our own open loop.</summary>
    public string? NBomberFolder { get; init; }
}
