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
    private readonly LiveConversations _live;
    private readonly TurnScheduler _scheduler;
    private readonly ITimer _sweep;

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
        _live = new LiveConversations(time, options.ResumeRetention, options.MaxRetainedChars);
        var runner = new TurnRunner(store, new PromptBuilder(store, models, options), time, Metrics, logger);
        _scheduler = new TurnScheduler(runner, _live, options, time, logger);
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
    public bool IsDraining => _scheduler.IsDraining;

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
            _scheduler.Release(appended.Submission.Turn, hold.Conversation);
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
    public Task DrainAsync(CancellationToken deadline = default) => _scheduler.DrainAsync(deadline);

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
        if (IsDraining)
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
        _scheduler.Reserve();
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
            var turn = _scheduler.Add(created.Conversation, created.FirstMessage!, request, document, hold.Conversation);
            var submission = new ChatSubmission(turn, false);
            await AcknowledgeAsync(submission, accepted);
            _scheduler.Release(turn, hold.Conversation);
            return submission;
        }
        finally
        {
            if (!used)
                _scheduler.Unreserve();
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
        _scheduler.Reserve();
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
            return (new ChatSubmission(_scheduler.Add(conversation, appended.Message, request, document, live), !appended.Created), true);
        }
        finally
        {
            if (!used)
                _scheduler.Unreserve();
        }
    }

    private NewMessage NewQuestion(TurnRequest request)
    {
        string id = StoreId.New(_time.GetUtcNow());
        return new NewMessage(MessageRole.User, request.Text) { Id = id, TurnId = id, ClientMessageId = request.ClientMessageId };
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

    private void Sweep()
    {
        try
        {
            _scheduler.Sweep();
            Sessions.Sweep();
            _live.Expire();
        }
        catch (Exception e)
        {
            ChatLog.SweepFailed(Logger, e);
        }
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
