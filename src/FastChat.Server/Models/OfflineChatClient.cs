using System.Runtime.CompilerServices;
using FastChat.Chat;
using Microsoft.Extensions.AI;

namespace FastChat.Server.Models;

/// <summary>
/// The model that needs no key and no network: the same question in the same conversation has the same answer. It quotes the passages
/// the engine found, does a few small things, and says what it is. Safe for concurrent use.
/// </summary>
/// <param name="wordDelay">
/// The pace: a word each time it has passed. A pause that came to last longer is made up for by those after it. Zero only yields, so that
/// other generations get their turn.
/// </param>
/// <param name="time">The clock of the pauses.</param>
internal sealed class OfflineChatClient(TimeSpan wordDelay, TimeProvider time) : IChatClient
{
    private readonly ChatClientMetadata _metadata = new("offline", defaultModelId: "offline");

    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        await GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var history = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        await Task.Yield();
        string answer = OfflineReplies.Compose(history);
        int most = options?.MaxOutputTokens ?? int.MaxValue;
        long words = 0;
        long begin = time.GetTimestamp();
        for (int start = 0; start < answer.Length && words < most; words++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int end = OfflineText.EndOfWord(answer, start);
            yield return new ChatResponseUpdate(ChatRole.Assistant, answer[start..end]);
            start = end;
            var pause = wordDelay * (words + 1) - time.GetElapsedTime(begin);
            if (wordDelay > TimeSpan.Zero && pause > TimeSpan.Zero) await Task.Delay(pause, time, cancellationToken);
            else await Task.Yield();
        }
        long asked = history.Sum(m => (long)OfflineText.CountWords(m.Text));
        var usage = new UsageDetails { InputTokenCount = asked, OutputTokenCount = words, TotalTokenCount = asked + words };
        yield return new ChatResponseUpdate(ChatRole.Assistant, [new UsageContent(usage)])
        {
            FinishReason = words < OfflineText.CountWords(answer) ? ChatFinishReason.Length : ChatFinishReason.Stop,
        };
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null) return null;
        return serviceType.IsInstanceOfType(this) ? this : serviceType == typeof(ChatClientMetadata) ? _metadata : null;
    }

    public void Dispose()
    {
        // Nothing is held.
    }
}
