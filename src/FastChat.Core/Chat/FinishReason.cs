using FastChat.Storage;
using Microsoft.Extensions.AI;

namespace FastChat.Chat;

/// <summary>Why an answer ended: the values of <c>finish_reason</c>.</summary>
public static class FinishReason
{
    /// <summary>The model said all it had to say.</summary>
    public const string Stop = "stop";

    /// <summary>A limit of the model or of this server was reached.</summary>
    public const string Length = "length";

    /// <summary>The model's operator cut the answer for its content.</summary>
    public const string ContentFilter = "content_filter";

    /// <summary>The user stopped it.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>The model's stream broke off without a reason, or the server had to go down.</summary>
    public const string Truncated = "truncated";

    /// <summary>The model failed.</summary>
    public const string Error = "error";

    internal static string From(ChatFinishReason? reason)
    {
        if (reason is null || reason == ModelContext.Truncated)
            return Truncated;
        if (reason == ChatFinishReason.Length)
            return Length;
        return reason == ChatFinishReason.ContentFilter ? ContentFilter : Stop;
    }

    internal static MessageStatus ToStatus(string reason) => reason switch
    {
        Cancelled => MessageStatus.Stopped,
        Truncated => MessageStatus.Truncated,
        Error => MessageStatus.Failed,
        _ => MessageStatus.Complete,
    };

    /// <summary>The reason of a stored answer, from its status where none was stored.</summary>
    internal static string Of(MessageRecord answer) => answer.FinishReason ?? answer.Status switch
    {
        MessageStatus.Stopped => Cancelled,
        MessageStatus.Truncated => Truncated,
        MessageStatus.Failed => Error,
        _ => Stop,
    };
}
