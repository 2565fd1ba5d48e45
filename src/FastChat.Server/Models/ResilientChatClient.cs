using System.Runtime.CompilerServices;
using FastChat.Chat;
using Microsoft.Extensions.AI;

namespace FastChat.Server.Models;

/// <summary>
/// Gives any upstream client the manners <see cref="ModelContext"/> describes: bounded waits, bounded retries before the first update,
/// and one last update with the finish reason and the usage. Safe for concurrent use.
/// </summary>
/// <param name="inner">One try at the upstream; throws <see cref="ModelException"/> for what the upstream says and I/O exceptions else.</param>
/// <param name="model">Name, timeouts and retries.</param>
/// <param name="time">The clock of timeouts and retries.</param>
/// <param name="logger">Where retries and broken streams are told.</param>
internal sealed class ResilientChatClient(IChatClient inner, ModelSettings model, TimeProvider time, ILogger logger)
    : DelegatingChatClient(inner)
{
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        await GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // Enumerated once more for every retry.
        var history = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        await using var stream = new UpstreamStream(
            token => InnerClient.GetStreamingResponseAsync(history, options, token), model, time, logger, cancellationToken);
        UsageContent? usage = null;
        while (await stream.ReadAsync() is { } update)
        {
            if (update.Contents.OfType<UsageContent>().LastOrDefault() is { } latest) usage = latest;
            if (update.Text is { Length: > 0 } text) yield return new ChatResponseUpdate(ChatRole.Assistant, text);
        }
        yield return new ChatResponseUpdate(ChatRole.Assistant, usage is null ? [] : [usage])
        {
            FinishReason = stream.FinishReason ?? ModelContext.Truncated,
        };
    }
}
