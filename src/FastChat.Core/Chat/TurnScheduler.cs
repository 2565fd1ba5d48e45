using System.Collections.Concurrent;
using FastChat.Diagnostics;
using FastChat.Storage;
using Microsoft.Extensions.Logging;

namespace FastChat.Chat;

/// <summary>
/// Runs turns: one at a time within a conversation, a bounded number in all, none for longer than it may, and on shutdown all of them to
/// their end. Safe for concurrent use.
/// </summary>
internal sealed class TurnScheduler(
    TurnRunner runner, LiveConversations conversations, ChatEngineOptions options, TimeProvider time, ILogger logger)
{
    private readonly ConcurrentDictionary<ChatTurn, LiveConversations.Hold> _active = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _reserved;
    private volatile bool _draining;
    private volatile bool _cutShort;

    public bool IsDraining => _draining;

    /// <summary>Takes a place for an answer, to be given back by <see cref="Unreserve"/> or by adding the turn.</summary>
    /// <exception cref="ChatException">There is none, or no more messages are taken.</exception>
    public void Reserve()
    {
        bool room = Interlocked.Increment(ref _reserved) <= options.MaxConcurrentGenerations;
        if (room && !_draining)
            return;
        Unreserve();
        throw room ? new ChatException(ChatErrorCode.ShuttingDown, "The server is shutting down.")
            : new ChatException(ChatErrorCode.Overloaded, "The server is answering as many messages as it can. Please try again later.");
    }

    public void Unreserve()
    {
        Interlocked.Decrement(ref _reserved);
        SettleIdle();
    }

    /// <summary>Gives a turn its place in its conversation, for which a reservation is used up. It does not run before <see cref="Release"/>.</summary>
    public ChatTurn Add(ConversationRecord conversation, MessageRecord question, TurnRequest request, DocumentRecord? document, LiveConversation live)
    {
        bool needsTitle = conversation.Title.Length == 0;
        var turn = new ChatTurn(
            needsTitle ? conversation with { Title = Text.ToTitle(question.Content, options.MaxTitleChars) } : conversation,
            question, new Generation(StoreId.New(time.GetUtcNow()), options.MaxAnswerChars, options.MaxChunkChars))
        {
            Model = request.Model,
            Document = document,
            NeedsTitle = needsTitle,
        };
        live.Add(turn);
        _active[turn] = conversations.Take(live.Id);
        return turn;
    }

    /// <summary>Lets a turn run when it is its time.</summary>
    public void Release(ChatTurn turn, LiveConversation live)
    {
        live.Release(turn);
        RunNext(live);
    }

    /// <summary>Ends answers that take longer than they may.</summary>
    public void Sweep()
    {
        foreach (var turn in _active.Keys)
            CheckTime(turn.Answer);
    }

    /// <summary>Takes no more turns; completes when all have ended. At the deadline those left are cut short.</summary>
    public async Task DrainAsync(CancellationToken deadline)
    {
        _draining = true;
        // Reserve counts first and looks at the flag second; here it is the other way round, and one of the two sees the other.
        Interlocked.MemoryBarrier();
        ChatLog.Draining(logger, _active.Count);
        SettleIdle();
        try
        {
            await _idle.Task.WaitAsync(deadline);
        }
        catch (OperationCanceledException)
        {
            _cutShort = true;
            foreach (var (turn, hold) in _active)
            {
                CutShort(turn);
                // One whose acknowledgement hangs on a peer that reads nothing would wait for ever.
                Release(turn, hold.Conversation);
            }
            await _idle.Task;
        }
    }

    private void RunNext(LiveConversation live)
    {
        if (live.TakeNext(out var listeners) is not { } turn)
            return;
        foreach (var listener in listeners)
            listener.OnAnswerStarting(turn);
        // On the pool: a model's first steps may take long, and the caller may be the loop that serves many sockets.
        _ = Task.Run(() => RunAsync(turn, live));
    }

    private async Task RunAsync(ChatTurn turn, LiveConversation live)
    {
        if (_cutShort)
            CutShort(turn);
        var result = await RunSafelyAsync(turn);
        // In this order: whoever learns of the end may send the next message at once, and finds room.
        live.Finish(turn);
        Unreserve();
        turn.Answer.Complete(result);
        RunNext(live);
        if (!result.Saved)
            live.Forget(turn);
        if (_active.TryRemove(turn, out var hold))
            conversations.Retain(hold, turn, turn.Answer.RetainedSize);
        SettleIdle();
    }

    // Whatever it is (a metrics listener of the host's that throws, say): the conversation must not wait for this turn for ever.
    private async Task<GenerationResult> RunSafelyAsync(ChatTurn turn)
    {
        try
        {
            return await runner.RunAsync(turn);
        }
        catch (Exception e)
        {
            ChatLog.TurnFailed(logger, turn.Answer.Id, e);
            turn.Answer.TryFinish(FinishReason.Error);
            return new GenerationResult
            {
                Text = turn.Answer.Outcome.Text,
                FinishReason = turn.Answer.Outcome.Reason,
                CompletedAt = time.GetUtcNow(),
                Error = ChatError.From(e),
                Saved = false,
            };
        }
    }

    private static void CutShort(ChatTurn turn) =>
        turn.Answer.TryFinish(FinishReason.Truncated, new ChatError(ChatErrorCode.ShuttingDown, "The server is shutting down."));

    private void SettleIdle()
    {
        if (_draining && Volatile.Read(ref _reserved) == 0 && _active.IsEmpty)
            _idle.TrySetResult();
    }

    private void CheckTime(Generation answer)
    {
        if (answer.StartedAt == 0)
            return;
        var silence = answer.LastSeq == 0 ? options.FirstChunkTimeout : options.StallTimeout;
        if (time.GetElapsedTime(answer.ProgressAt) >= silence || time.GetElapsedTime(answer.StartedAt) >= options.GenerationTimeout)
            answer.TryFinish(FinishReason.Error, new ChatError(ChatErrorCode.ModelTimedOut, "The model took too long to answer."));
    }
}
