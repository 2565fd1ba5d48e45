using FastChat.Storage;

namespace FastChat.Chat;

/// <summary>Spellings of <see cref="MessageRole"/>.</summary>
public static class MessageRoles
{
    /// <summary>The word for a role in JSON: <c>user</c>, <c>assistant</c> or <c>system</c>.</summary>
    public static string ToWire(this MessageRole role) => role switch
    {
        MessageRole.User => "user",
        MessageRole.Assistant => "assistant",
        _ => "system",
    };
}
