using System.Collections.Concurrent;
using System.Text;
using FastChat.Chat.Dialects;
using FastChat.Diagnostics;
using FastChat.Dispatch;
using FastChat.Storage;
using Microsoft.Extensions.Logging;

namespace FastChat.Chat;

/// <summary>
/// Takes users' messages, has models answer them, and keeps both. Sockets and REST are two ways to call it. Safe for concurrent use.
/// </summary>
/// <remarks>
/// A conversation answers one message at a time. Messages that come meanwhile are stored at once and wait their turn, up to
/// <see cref="ChatEngineOptions.MaxQueuedTurns"/>; beyond that a message is refused with <see cref="ChatErrorCode.Busy"/>.
/// An answer goes on when whoever asked is gone; only <see cref="Stop"/>, a time limit, deleting its conversation or the end of
/// <see cref="DrainAsync"/> cut it short, and then what was received is kept.
/// </remarks>
public sealed class ChatEngine : IAsyncDisposable
{
    private const int MaxClientMessageIdChars = 200;

    private readonly ChatEngineOptions _options;
    private readonly TimeProvider _time;
    private readonly TurnRunner _runner;
    private readonly LiveConversations _live;
    private readonly ConcurrentDictionary<ChatTurn, LiveConversations.Hold> _active = new();
    private readonly ITimer _sweep;
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _reserved;
    private volatile bool _draining;
    private volatile bool _cutShort;

    /// <summary>Makes an engine and starts its sweep.</summary>
    /// <param name="store">Where everything is kept. Not disposed of by the engine.</param>
    /// <param name="models">The models there are.</param>
    /// <param name="options">The limits.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where to log.</param>
    public ChatEngine(IChatStore store, IModelCatalog models, ChatEngineOptions options, TimeProvider time, ILogger<ChatEngine> logger)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(models);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(logger);
        (Store, Models, _options, _time, Logger) = (store, models, options, time, logger);
        Metrics = new ChatMetrics();
        _runner = new TurnRunner(store, new PromptBuilder(store, models, options), time, Metrics, logger);
        _live = new LiveConversations(time, options.ResumeRetention, options.MaxRetainedChars);
        Sessions = new ChatSessions(store, options, time, Metrics, logger, _live);
        Directory = new ChatDirectory(this, options);
        Router = CodeRequests.CreateRouter(new EnvelopeLimits { MaxBytes = options.MaxEnvelopeBytes });
        Frames = new JsonFrames(options.BufferPool);
        _sweep = time.CreateTimer(static engine => ((ChatEngine)engine!).Sweep(), this, options.SweepInterval, options.SweepInterval);
    }

    /// <summary>Sessions of seed 002.</summary>
    public ChatSessions Sessions { get; }

    /// <summary>Users, chatbots, conversations, documents and models.</summary>
    public ChatDirectory Directory { get; }

    /// <summary>True once <see cref="DrainAsync"/> was called: no more messages are taken.</summary>
    public bool IsDraining => _draining;

    internal IChatStore Store { get; }

    internal IModelCatalog Models { get; }

    internal ChatMetrics Metrics { get; }

    internal ILogger Logger { get; }

    internal ChatEngineOptions Options => _options;

    internal TimeProvider Time => _time;

    internal MessageRouter<Verb> Router { get; }

    internal JsonFrames Frames { get; }

    /// <summary>Conversations in memory, for tests that look for leaks.</summary>
    internal int LiveCount => _live.Count;

    /// <summary>Stores a user's message and has it answered. Returns when the message is on disk; the answer comes by itself.</summary>
    /// <param name="request">The message.</param>
    /// <param name="accepted">
    /// Called after the commit and before the answer begins, to acknowledge the message in order. The answer waits for it.
    /// </param>
    /// <param name="cancellationToken">Gives up before the message is stored; not after.</param>
    /// <exception cref="ChatException">The message is refused; nothing was stored.</exception>
    /// <exception cref="StoreException">The store failed.</exception>
    public async ValueTask<ChatSubmission> SubmitAsync(
        TurnRequest request, Func<ChatSubmission, ValueTask>? accepted = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        Validate(request);
        var document = request.FileName is not { Length: > 0 } file ? null
            : await Store.GetDocumentByNameAsync(request.UserId, file, cancellationToken) ?? throw ChatException.NotFound("Document");
        if (request.ConversationId is null)
            return await StartConversationAsync(request, document, accepted, cancellationToken);

        var conversation = await Store.GetConversationAsync(request.UserId, request.ConversationId, cancellationToken)
            ?? throw ChatException.NotFound("Conversation");
        conversation = await ChangePromptAsync(conversation, request.SystemPrompt, cancellationToken);
        using var hold = _live.Take(conversation.Id);
        (ChatSubmission Submission, bool Enqueued) appended;
        await hold.Conversation.Submitting.WaitAsync(cancellationToken);
        try
        {
            appended = await AppendAsync(request, conversation, document, hold.Conversation);
        }
        finally
        {
            hold.Conversation.Submitting.Release();
        }
        await AcknowledgeAsync(appended.Submission, accepted);
        if (appended.Enqueued)
            Release(appended.Submission.Turn, hold.Conversation);
        return appended.Submission;
    }

    /// <summary><see cref="SubmitAsync"/>, and waits for the whole answer.</summary>
    /// <exception cref="ChatException">The message was refused, or its answer failed.</exception>
    public async ValueTask<(ChatTurn Turn, GenerationResult Result)> AskAsync(TurnRequest request, CancellationToken cancellationToken = default)
    {
        var (turn, _) = await SubmitAsync(request, null, cancellationToken);
        var result = await turn.Answer.Completion.WaitAsync(cancellationToken);
        return result.Error is { } error ? throw new ChatException(error) : (turn, result);
    }

    /// <summary>
    /// Stops answers of one of the user's conversations: the one given (by its id or by that of its question), or the running one and
    /// those that wait. What was received is kept. Nothing to stop is no error: the answer may have ended a moment ago.
    /// </summary>
    /// <returns>How many answers this call stopped.</returns>
    public int Stop(string userId, string conversationId, string? messageId = null)
    {
        if (_live.Find(conversationId) is not { } live)
            return 0;
        return live.Unfinished.Count(t => t.Conversation.UserId == userId && (messageId is null || t.Is(messageId))
            && t.Answer.TryFinish(FinishReason.Cancelled));
    }

    /// <summary>
    /// Finds a turn of one of the user's conversations by the id of its question or its answer, in memory or in the store. Null when there
    /// is none, or when it has no answer and none is on its way (the server was killed while it ran): send the question again.
    /// </summary>
    public async ValueTask<ChatTurn?> FindTurnAsync(
        string userId, string conversationId, string messageId, CancellationToken cancellationToken = default)
    {
        if (_live.Find(conversationId)?.Find(messageId) is { } live && live.Conversation.UserId == userId)
            return live;
        var message = await Store.GetMessageAsync(userId, messageId, cancellationToken);
        if (message?.ConversationId != conversationId || await Store.GetConversationAsync(userId, conversationId, cancellationToken) is not { } conversation)
            return null;
        return await LoadTurnAsync(conversation, message.TurnId ?? message.Id, cancellationToken);
    }

    /// <summary>
    /// Takes no more messages and waits for the answers that run. When <paramref name="deadline"/> fires, those left are cut short, and
    /// stored as far as they came. Completes when every answer is stored.
    /// </summary>
    public async Task DrainAsync(CancellationToken deadline = default)
    {
        _draining = true;
        // Reserve counts first and looks at the flag second; here it is the other way round, and one of the two sees the other.
        Interlocked.MemoryBarrier();
        ChatLog.Draining(Logger, _active.Count);
        SettleIdle();
        try
        {
            await _idle.Task.WaitAsync(deadline);
        }
        catch (OperationCanceledException)
        {
            _cutShort = true;
            foreach (var turn in _active.Keys)
                CutShort(turn);
            await _idle.Task;
        }
    }

    /// <summary>Cuts short what still runs, waits until it is stored, and ends the sweep.</summary>
    public async ValueTask DisposeAsync()
    {
        await _sweep.DisposeAsync();
        await DrainAsync(new CancellationToken(canceled: true));
        Metrics.Dispose();
    }

    /// <summary>Begins to hear of a conversation's answers. Dispose of the subscription to end it.</summary>
    internal Subscription Subscribe(string conversationId, IConversationListener listener)
    {
        var hold = _live.Take(conversationId);
        return new Subscription(hold, listener, hold.Conversation.Attach(listener));
    }

    internal void Delete(string userId, string conversationId)
    {
        Stop(userId, conversationId);
        Sessions.CloseConversation(conversationId);
    }

    private void Validate(TurnRequest request)
    {
        if (_draining)
            throw new ChatException(ChatErrorCode.ShuttingDown, "The server is shutting down.");
        if (string.IsNullOrWhiteSpace(request.Text))
            throw new ChatException(ChatErrorCode.BadRequest, "The message is empty.");
        if (request.Text.Length > _options.MaxMessageBytes || Encoding.UTF8.GetByteCount(request.Text) > _options.MaxMessageBytes)
            throw new ChatException(ChatErrorCode.TooLarge, $"The message is longer than {_options.MaxMessageBytes} bytes.");
        if (request.ClientMessageId is { Length: 0 or > MaxClientMessageIdChars })
            throw new ChatException(ChatErrorCode.BadRequest, $"client_message_id must have 1 to {MaxClientMessageIdChars} characters.");
        if (request.SystemPrompt?.Length > _options.MaxSystemPromptChars)
            throw new ChatException(ChatErrorCode.TooLarge, $"The prompt is longer than {_options.MaxSystemPromptChars} characters.");
        if (request.Model is not null && !Models.TryGet(request.Model, out _))
            throw ChatException.NotFound("Model");
    }

    private async Task<ChatSubmission> StartConversationAsync(
        TurnRequest request, DocumentRecord? document, Func<ChatSubmission, ValueTask>? accepted, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Reserve();
        bool used = false;
        try
        {
            var created = await Store.CreateConversationAsync(new NewConversation(request.UserId, request.ChatbotId ?? ChatbotRecord.AssistantId)
            {
                Title = Text.ToTitle(request.Text, _options.MaxTitleChars),
                SystemPrompt = request.SystemPrompt is { Length: > 0 } prompt ? prompt : null,
            }, NewQuestion(request), CancellationToken.None) ?? throw ChatException.NotFound("Chatbot");
            using var hold = _live.Take(created.Conversation.Id);
            used = true;
            var turn = Enqueue(created.Conversation, created.FirstMessage!, request, document, hold.Conversation);
            var submission = new ChatSubmission(turn, false);
            await AcknowledgeAsync(submission, accepted);
            Release(turn, hold.Conversation);
            return submission;
        }
        finally
        {
            if (!used)
                Unreserve();
        }
    }

    private async Task<ConversationRecord> ChangePromptAsync(ConversationRecord conversation, string? prompt, CancellationToken cancellationToken)
    {
        if (prompt is null || prompt == (conversation.SystemPrompt ?? ""))
            return conversation;
        return await Store.UpdateConversationAsync(conversation.UserId, conversation.Id, new ConversationChanges { SystemPrompt = prompt },
            cancellationToken) ?? throw ChatException.NotFound("Conversation");
    }

    private async Task<(ChatSubmission Submission, bool Enqueued)> AppendAsync(
        TurnRequest request, ConversationRecord conversation, DocumentRecord? document, LiveConversation live)
    {
        if (request.ClientMessageId is { } clientId && live.FindByClientId(clientId) is { } known)
            return (new ChatSubmission(known, true), false);
        if (live.IsBusy && live.Waiting >= _options.MaxQueuedTurns)
            throw new ChatException(ChatErrorCode.Busy, "The assistant is still answering earlier messages. Please wait.");
        Reserve();
        bool used = false;
        try
        {
            // Not cancelled with the socket: a message that may be on disk is answered.
            var appended = await Store.AppendMessageAsync(conversation.UserId, conversation.Id, NewQuestion(request), CancellationToken.None)
                ?? throw ChatException.NotFound("Conversation");
            if (!appended.Created && await LoadTurnAsync(conversation, appended.Message.TurnId ?? appended.Message.Id, default) is { } answered)
                return (new ChatSubmission(answered, true), false);
            // Not created and not answered either: the server was killed while it ran, and the answer is still owed.
            used = true;
            return (new ChatSubmission(Enqueue(conversation, appended.Message, request, document, live), !appended.Created), true);
        }
        finally
        {
            if (!used)
                Unreserve();
        }
    }

    private NewMessage NewQuestion(TurnRequest request)
    {
        string id = StoreId.New(_time.GetUtcNow());
        return new NewMessage(MessageRole.User, request.Text) { Id = id, TurnId = id, ClientMessageId = request.ClientMessageId };
    }

    private ChatTurn Enqueue(
        ConversationRecord conversation, MessageRecord question, TurnRequest request, DocumentRecord? document, LiveConversation live)
    {
        bool needsTitle = conversation.Title.Length == 0;
        var turn = new ChatTurn(
            needsTitle ? conversation with { Title = Text.ToTitle(question.Content, _options.MaxTitleChars) } : conversation,
            question, new Generation(StoreId.New(_time.GetUtcNow()), _options.MaxAnswerChars, _options.MaxChunkChars))
        {
            Model = request.Model,
            Document = document,
            NeedsTitle = needsTitle,
        };
        live.Add(turn);
        _active[turn] = _live.Take(live.Id);
        return turn;
    }

    private async Task<ChatTurn?> LoadTurnAsync(ConversationRecord conversation, string turnId, CancellationToken cancellationToken)
    {
        var messages = await Store.GetTurnAsync(conversation.UserId, conversation.Id, turnId, cancellationToken);
        var question = messages.FirstOrDefault(m => m.Role == MessageRole.User);
        var answer = messages.FirstOrDefault(m => m.Role == MessageRole.Assistant);
        return question is null || answer is null ? null
            : new ChatTurn(conversation, question, Generation.FromResult(answer.Id, GenerationResult.From(answer)));
    }

    private async ValueTask AcknowledgeAsync(ChatSubmission submission, Func<ChatSubmission, ValueTask>? accepted)
    {
        try
        {
            if (accepted is not null)
                await accepted(submission);
        }
        catch (Exception e)
        {
            // The message is stored: whatever happens to the acknowledgement, the answer is owed.
            ChatLog.AcceptedCallbackFailed(Logger, e);
        }
    }

    private void Release(ChatTurn turn, LiveConversation live)
    {
        live.Release(turn);
        RunNext(live);
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
        var result = await _runner.RunAsync(turn);
        // In this order: whoever learns of the end may send the next message at once, and finds room.
        live.Finish(turn);
        Unreserve();
        turn.Answer.Complete(result);
        RunNext(live);
        if (!result.Saved)
            live.Forget(turn);
        if (_active.TryRemove(turn, out var hold))
            _live.Retain(hold, turn, turn.Answer.RetainedSize);
        SettleIdle();
    }

    private static void CutShort(ChatTurn turn) =>
        turn.Answer.TryFinish(FinishReason.Truncated, new ChatError(ChatErrorCode.ShuttingDown, "The server is shutting down."));

    private void Reserve()
    {
        bool room = Interlocked.Increment(ref _reserved) <= _options.MaxConcurrentGenerations;
        if (room && !_draining)
            return;
        Unreserve();
        throw room ? new ChatException(ChatErrorCode.ShuttingDown, "The server is shutting down.")
            : new ChatException(ChatErrorCode.Overloaded, "The server is answering as many messages as it can. Please try again later.");
    }

    private void Unreserve()
    {
        Interlocked.Decrement(ref _reserved);
        SettleIdle();
    }

    private void SettleIdle()
    {
        if (_draining && Volatile.Read(ref _reserved) == 0 && _active.IsEmpty)
            _idle.TrySetResult();
    }

    private void Sweep()
    {
        try
        {
            foreach (var turn in _active.Keys)
                CheckTime(turn.Answer);
            Sessions.Sweep();
            _live.Expire();
        }
        catch (Exception e)
        {
            ChatLog.SweepFailed(Logger, e);
        }
    }

    private void CheckTime(Generation answer)
    {
        if (answer.StartedAt == 0)
            return;
        var silence = answer.LastSeq == 0 ? _options.FirstChunkTimeout : _options.StallTimeout;
        if (_time.GetElapsedTime(answer.ProgressAt) >= silence || _time.GetElapsedTime(answer.StartedAt) >= _options.GenerationTimeout)
            answer.TryFinish(FinishReason.Error, new ChatError(ChatErrorCode.ModelTimedOut, "The model took too long to answer."));
    }

    /// <summary>A listener's place at a conversation.</summary>
    internal sealed class Subscription(LiveConversations.Hold hold, IConversationListener listener, ChatTurn? running) : IDisposable
    {
        /// <summary>The turn that ran when the subscription began; the listener was not told of it.</summary>
        public ChatTurn? Running => running;

        public void Dispose()
        {
            hold.Conversation.Detach(listener);
            hold.Dispose();
        }
    }
}
