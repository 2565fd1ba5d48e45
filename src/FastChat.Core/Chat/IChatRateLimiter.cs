namespace FastChat.Chat;

/// <summary>Whether a user may make one more request.</summary>
/// <param name="IsAllowed">True when it was counted and may go on.</param>
/// <param name="RetryAfter">Otherwise: how long to wait.</param>
public readonly record struct RateDecision(bool IsAllowed, TimeSpan RetryAfter)
{
    /// <summary>Go on.</summary>
    public static RateDecision Allowed => new(true, TimeSpan.Zero);
}

/// <summary>
/// Counts the requests of each user, over sockets and whatever else a host has. Safe for concurrent use. The sockets ask once for each
/// message, except <c>stop</c> and <c>resume</c>: stopping must always be possible, and coming back costs no model.
/// </summary>
public interface IChatRateLimiter
{
    /// <summary>Asks for one request of a user.</summary>
    ValueTask<RateDecision> AcquireAsync(string userId, CancellationToken cancellationToken = default);
}
