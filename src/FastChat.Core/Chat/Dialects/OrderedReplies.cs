using FastChat.Diagnostics;
using Microsoft.Extensions.Logging;

namespace FastChat.Chat.Dialects;

/// <summary>Answers sent whole when they are over, in the order of their questions within a conversation. Safe for concurrent use.</summary>
internal sealed class OrderedReplies(ILogger logger, CancellationToken closed)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task> _last = new(StringComparer.Ordinal);

    /// <summary>Sends a reply when the answer is over, unless the peer is gone by then.</summary>
    public void Add(ChatTurn turn, Func<ChatTurn, GenerationResult, ValueTask> reply)
    {
        string conversation = turn.Conversation.Id;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task? before;
        lock (_gate)
        {
            _last.TryGetValue(conversation, out before);
            _last[conversation] = done.Task;
        }
        _ = ReplyAsync(before, turn, reply, done);
    }

    /// <summary>Completes when every reply asked for so far has been sent.</summary>
    public Task IdleAsync()
    {
        lock (_gate)
            return Task.WhenAll(_last.Values);
    }

    private async Task ReplyAsync(Task? before, ChatTurn turn, Func<ChatTurn, GenerationResult, ValueTask> reply, TaskCompletionSource done)
    {
        try
        {
            var result = await turn.Answer.Completion.WaitAsync(closed);
            if (before is not null)
                await before;
            await reply(turn, result);
        }
        catch (OperationCanceledException)
        {
            // The peer is gone; the answer is in the store.
        }
        catch (Exception e)
        {
            ChatLog.SendFailed(logger, e);
        }
        lock (_gate)
        {
            if (_last.GetValueOrDefault(turn.Conversation.Id) == done.Task)
                _last.Remove(turn.Conversation.Id);
        }
        done.SetResult();
    }
}
