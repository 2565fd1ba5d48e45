using FastChat.Server.Configuration;

namespace FastChat.Server.Auth.RateLimits;

/// <summary>How much one user may ask for (section <c>RateLimits</c>), over REST and WebSocket together. Defaults are those of seed 003.</summary>
public sealed class RateLimitOptions
{
    /// <summary>Requests and chat messages within any minute.</summary>
    public int PerMinute { get; set; } = 100;

    /// <summary>Requests and chat messages within any hour.</summary>
    public int PerHour { get; set; } = 1000;

    /// <summary>
    /// How many users are counted at most (300 bytes each, up to 1,200 while they are busy). Beyond that, those who were idle longest are forgotten first.
    /// </summary>
    public int MaxUsers { get; set; } = 100_000;

    /// <summary>Reads the section <c>RateLimits</c>; what cannot be read is noted in the reader.</summary>
    internal static RateLimitOptions Read(SettingsReader settings)
    {
        var section = settings.Section("RateLimits");
        var options = new RateLimitOptions();
        options.PerMinute = section.Number(nameof(PerMinute), options.PerMinute);
        options.PerHour = section.Number(nameof(PerHour), options.PerHour);
        options.MaxUsers = section.Number(nameof(MaxUsers), options.MaxUsers);
        section.RefuseUnknown();
        return options;
    }

    /// <summary>Says what is wrong with these values: one sentence for each mistake, none when all is well.</summary>
    public IEnumerable<string> Validate()
    {
        if (PerMinute is < 1 or > 1_000_000)
            yield return "RateLimits:PerMinute must be between 1 and 1000000.";
        if (PerHour is < 1 or > 60_000_000)
            yield return "RateLimits:PerHour must be between 1 and 60000000.";
        if (MaxUsers is < 1 or > 10_000_000)
            yield return "RateLimits:MaxUsers must be between 1 and 10000000.";
    }
}
