using System.Globalization;

namespace FastChat.Server.Auth.RateLimits;

/// <summary>Whether a user may go on, and what to tell them.</summary>
/// <param name="Allowed">True when the request was counted and may go on; false when it was refused, and not counted.</param>
/// <param name="Limit">The limit that is nearest: how many requests its window holds.</param>
/// <param name="Remaining">How many are left in that window.</param>
/// <param name="Reset">How long until some of that window's requests come back.</param>
/// <param name="RetryAfter">How long to wait before asking again; zero when allowed.</param>
public readonly record struct RateLimitDecision(bool Allowed, int Limit, int Remaining, TimeSpan Reset, TimeSpan RetryAfter)
{
    /// <summary><see cref="RetryAfter"/> in whole seconds, rounded up: the value of <c>Retry-After</c> and of <c>retry_after</c>.</summary>
    public int RetryAfterSeconds => WholeSeconds(RetryAfter);

    /// <summary><see cref="Reset"/> in whole seconds, rounded up: the value of <c>RateLimit-Reset</c>.</summary>
    public int ResetSeconds => WholeSeconds(Reset);

    /// <summary>One sentence for the refused.</summary>
    public string Describe() => string.Create(
        CultureInfo.InvariantCulture, $"Too many requests: {Limit} are allowed. Try again in {RetryAfterSeconds} s.");

    private static int WholeSeconds(TimeSpan time) => (int)Math.Ceiling(time.TotalSeconds);
}
