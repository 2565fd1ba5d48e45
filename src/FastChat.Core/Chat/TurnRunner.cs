using System.Diagnostics;
using FastChat.Diagnostics;
using FastChat.Storage;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace FastChat.Chat;

/// <summary>Runs one turn: asks the model, fills the generation, stores the answer. Safe for concurrent use.</summary>
internal sealed class TurnRunner(
    IChatStore store, PromptBuilder prompts, TimeProvider time, ChatMetrics metrics, ILogger logger)
{
    private const int SaveAttempts = 5;

    /// <summary>Whatever goes wrong with model or store becomes the answer's result.</summary>
    public async Task<GenerationResult> RunAsync(ChatTurn turn)
    {
        var answer = turn.Answer;
        using var activity = ChatMetrics.Activities.StartActivity("chat.generation");
        activity?.SetTag("fastchat.conversation_id", turn.Conversation.Id).SetTag("fastchat.message_id", answer.Id);
        long started = answer.StartedAt = answer.ProgressAt = time.GetTimestamp();
        var state = new StreamState();
        metrics.GenerationStarted();
        if (!answer.IsFinished)
        {
            // Not awaited alone: a client that does not heed its token must not hold up the stop it was asked for.
            var stream = StreamAsync(turn, state);
            await Task.WhenAny(stream, answer.Finished);
        }
        var result = await SaveAsync(turn, state);
        string model = state.Prompt?.Model ?? "none";
        activity?.SetTag("fastchat.model", model).SetTag("fastchat.finish_reason", result.FinishReason);
        metrics.GenerationEnded(model, result.FinishReason, time.GetElapsedTime(started));
        ChatLog.GenerationEnded(logger, answer.Id, model, result.FinishReason, answer.LastSeq, time.GetElapsedTime(started).TotalMilliseconds);
        return result;
    }

    private async Task StreamAsync(ChatTurn turn, StreamState state)
    {
        var answer = turn.Answer;
        try
        {
            if (turn.NeedsTitle)
                await store.UpdateConversationAsync(turn.Conversation.UserId, turn.Conversation.Id,
                    new ConversationChanges { Title = turn.Conversation.Title }, answer.Stopping);
            var prompt = state.Prompt = await prompts.BuildAsync(turn, answer.Stopping);
            ChatFinishReason? reason = null;
            answer.StartedAt = answer.ProgressAt = time.GetTimestamp();
            await foreach (var update in prompt.Client.GetStreamingResponseAsync(prompt.Messages, null, answer.Stopping))
            {
                for (int i = 0; i < update.Contents.Count; i++)
                {
                    if (update.Contents[i] is UsageContent usage)
                        state.AddUsage(usage.Details);
                }
                reason = update.FinishReason ?? reason;
                if (update.Text is { Length: > 0 } text && !Append(answer, text))
                    return;
            }
            answer.TryFinish(FinishReason.From(reason));
        }
        catch (OperationCanceledException) when (answer.Stopping.IsCancellationRequested)
        {
            // Whoever cancelled has said why the answer ended.
        }
        catch (OperationCanceledException e)
        {
            Fail(answer, e, new ChatError(ChatErrorCode.ModelTimedOut, "The model took too long to answer."));
        }
        catch (Exception e)
        {
            bool known = e is ModelException or ChatException or StoreException;
            Fail(answer, e, known ? ChatError.From(e) : new ChatError(ChatErrorCode.ModelFailed, "The model failed to answer."));
        }
    }

    private bool Append(Generation answer, string text)
    {
        long now = time.GetTimestamp();
        if (answer.LastSeq == 0)
            metrics.FirstChunk(time.GetElapsedTime(answer.StartedAt, now));
        answer.ProgressAt = now;
        metrics.Chunk();
        return answer.TryAppend(text);
    }

    private void Fail(Generation answer, Exception exception, ChatError error)
    {
        if (!answer.TryFinish(FinishReason.Error, error))
            return;
        // What an upstream says of a failure may quote the prompt, or the key.
        ChatLog.GenerationFailed(logger, answer.Id, error.Code, exception.GetType().Name);
        ChatLog.GenerationFailure(logger, answer.Id, exception);
    }

    private async Task<GenerationResult> SaveAsync(ChatTurn turn, StreamState state)
    {
        var (text, reason, error) = turn.Answer.Outcome;
        var usage = state.Usage ?? Estimate(state.Prompt, text);
        var message = new NewMessage(MessageRole.Assistant, text)
        {
            Id = turn.Answer.Id,
            TurnId = turn.Id,
            Model = state.Prompt?.Model,
            FinishReason = reason,
            Usage = usage,
            SourcesJson = state.Prompt?.SourcesJson,
            Status = FinishReason.ToStatus(reason),
        };
        var stored = default(AppendResult?);
        try
        {
            stored = await AppendAsync(turn, message);
            // Nothing to keep it in: the conversation was deleted while the model spoke.
            error ??= stored is null ? new ChatError(ChatErrorCode.NotFound, "The conversation was deleted.") : null;
        }
        catch (Exception e)
        {
            ChatLog.AnswerNotSaved(logger, turn.Answer.Id, e);
            error = new ChatError(ChatErrorCode.Unavailable, "The answer could not be saved.");
        }
        return new GenerationResult
        {
            Text = text,
            FinishReason = reason,
            Usage = usage,
            SourcesJson = message.SourcesJson,
            Error = error,
            CompletedAt = stored?.Message.CreatedAt ?? time.GetUtcNow(),
            Saved = stored is not null,
        };
    }

    private async Task<AppendResult?> AppendAsync(ChatTurn turn, NewMessage message)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return await store.AppendMessageAsync(turn.Conversation.UserId, turn.Conversation.Id, message);
            }
            catch (StoreException e) when (e.Error == StoreError.Busy && attempt < SaveAttempts)
            {
                // A full queue empties within a commit or two; an answer that was paid for is worth the wait.
                await Task.Delay(TimeSpan.FromMilliseconds(50 << attempt), time);
            }
        }
    }

    private static TokenUsage Estimate(ModelPrompt? prompt, string answer) => new(
        prompt?.Messages.Sum(m => PromptBuilder.EstimateTokens(m.Text)) ?? 0,
        answer.Length == 0 ? 0 : PromptBuilder.EstimateTokens(answer));

    /// <summary>What the model's stream has brought besides text. Written by the stream, read when the answer is over.</summary>
    private sealed class StreamState
    {
        private readonly Lock _gate = new();
        private TokenUsage? _usage;

        public volatile ModelPrompt? Prompt;

        public TokenUsage? Usage { get { lock (_gate) return _usage; } }

        public void AddUsage(UsageDetails details)
        {
            lock (_gate)
            {
                var sum = _usage ?? default;
                _usage = new(sum.PromptTokens + (details.InputTokenCount ?? 0), sum.CompletionTokens + (details.OutputTokenCount ?? 0));
            }
        }
    }
}
