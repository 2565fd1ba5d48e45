namespace FastChat.Server.Models;

/// <summary>What the models log: names, counts and kinds of failure; never a key, a prompt or an answer.</summary>
internal static partial class ModelLog
{
    [LoggerMessage(1, LogLevel.Warning, "Model {Model}: {Failure}; try {Attempt} of {Attempts} in {Delay}")]
    public static partial void Retrying(ILogger logger, string model, Chat.ModelFailure failure, int attempt, int attempts, TimeSpan delay);

    [LoggerMessage(2, LogLevel.Warning, "Model {Model}: the stream broke off without a finish reason")]
    public static partial void Truncated(ILogger logger, string model, Exception? cause);
}
