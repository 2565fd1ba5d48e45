namespace FastChat.Chat;

/// <summary>Why a model gave no answer, or no whole one.</summary>
public enum ModelFailure
{
    /// <summary>The upstream could not be reached, answered with a server error, or reported an error in mid-stream.</summary>
    Unavailable,

    /// <summary>The upstream asks for fewer requests; see <see cref="ModelException.RetryAfter"/>.</summary>
    RateLimited,

    /// <summary>No first text within the configured time, or silence in mid-stream for longer than allowed.</summary>
    TimedOut,

    /// <summary>The upstream refused the key.</summary>
    Unauthorized,

    /// <summary>The upstream refused the request itself: an unknown model, a context too long, a filtered prompt.</summary>
    Rejected,

    /// <summary>The upstream sent what is not a chat completion stream.</summary>
    Malformed,
}

/// <summary>A model failed. <see cref="Exception.Message"/> is a sentence fit for the user: it holds no key and no address.</summary>
public sealed class ModelException : Exception
{
    /// <summary>Makes one.</summary>
    /// <param name="failure">Which kind of failure it was.</param>
    /// <param name="message">A sentence that may be shown to the user.</param>
    /// <param name="innerException">The cause, for the log only.</param>
    public ModelException(ModelFailure failure, string message, Exception? innerException = null) : base(message, innerException) =>
        Failure = failure;

    /// <summary>Which kind of failure it was.</summary>
    public ModelFailure Failure { get; }

    /// <summary>How long the upstream asks to wait; null where it did not say.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
