using System.Diagnostics.CodeAnalysis;
using System.Text;
using FastChat.Storage;

namespace FastChat.Server.Storage;

/// <summary>What every store can keep: UTF-16 without lone surrogates and without U+0000.</summary>
internal static class StoredText
{
    /// <summary>Puts U+FFFD in place of what cannot be kept.</summary>
    [return: NotNullIfNotNull(nameof(text))]
    public static string? Clean(string? text)
    {
        if (text is null || IsClean(text))
            return text;
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) // a lone surrogate comes as U+FFFD
            clean.Append(rune.Value == 0 ? Rune.ReplacementChar : rune);
        return clean.ToString();
    }

    /// <summary>Cleans every text of a message, and refuses an id that cannot be kept.</summary>
    public static NewMessage Clean(NewMessage message) => message with
    {
        Id = message.Id is null ? null : RequireId(message.Id),
        Content = Clean(message.Content),
        TurnId = Clean(message.TurnId),
        ClientMessageId = Clean(message.ClientMessageId),
        Model = Clean(message.Model),
        FinishReason = Clean(message.FinishReason),
        SourcesJson = Clean(message.SourcesJson),
    };

    /// <summary>Refuses an id that cannot be kept as it is: two ids must not become one.</summary>
    public static string RequireId(string id) => id.Length > 0 && IsClean(id)
        ? id
        : throw new StoreException(StoreError.InvalidRequest, "An id must not be empty and must be valid text.");

    private static bool IsClean(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange('\ud800', '\udfff') < 0)
            return !text.Contains('\0', StringComparison.Ordinal);
        int at = 0;
        while (at < text.Length && Rune.TryGetRuneAt(text, at, out var rune) && rune.Value != 0)
            at += rune.Utf16SequenceLength;
        return at == text.Length;
    }
}
