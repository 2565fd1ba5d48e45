using System.Text.Json;
using FastChat.Diagnostics;
using FastChat.Storage;

namespace FastChat.Chat.Dialects;

/// <summary>
/// Seed 002: a socket on a session. Every socket of a session sees every answer as it is produced; what lies beyond the seed
/// (<c>client_message_id</c>, <c>seq</c>, <c>resume</c>, <c>stop</c>, <c>user_message</c>) only adds fields and messages.
/// </summary>
internal sealed class SessionSocket(ChatEngine engine, IChatPeer peer, ChatSocketRequest request, IChatRateLimiter limiter)
    : ChatSocket(engine, peer, request, limiter), IConversationListener, ISessionSocket
{
    // Private codes (RFC 6455 section 7.4.2): a client that reconnects by itself must know when not to.
    private const int NormalClosure = 1000;
    private const int PolicyViolation = 1008;
    private const int SessionReplaced = 4001;
    private const int SessionExpired = 4002;

    // Answers that began while this socket still had not taken the end of an earlier one.
    private const int MaxBehind = 64;

    // Locked: this object. A Lock for each of ten thousand idle sockets would be another 40 bytes.
    private Dictionary<string, AnswerStream>? _streams; // made when first needed, as the next two: most sockets are idle
    private HashSet<string>? _own;
    private HashSet<string>? _silent;
    private ChatSession? _session;
    private ChatEngine.Subscription? _subscription;
    private Task _last = Task.CompletedTask;
    private bool _isClosed;
    private volatile bool _isOver;

    private ChatSession Session => _isOver || _session is null
        ? throw new ChatException(ChatErrorCode.SessionClosed, "This session is closed.") : _session;

    private protected override bool AllowsUntyped => true;

    private protected override bool Knows(Verb verb) => verb is Verb.Message or Verb.Stop or Verb.Resume;

    /// <inheritdoc/>
    public override async Task IdleAsync()
    {
        Task last;
        lock (this)
            last = _last;
        await last;
        await base.IdleAsync();
    }

    private protected override async ValueTask OnOpenAsync()
    {
        if (!Engine.Sessions.TryAttach(UserId, Request.SessionId ?? "", this, out var session, out var error))
            throw new ChatException(error!);
        _session = session;
        // Answers that begin from here on wait until the peer has been told where it is.
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (this)
            _last = told.Task;
        try
        {
            var subscription = Engine.Subscribe(session.ConversationId, this);
            if (!TryKeep(subscription))
            {
                Engine.Sessions.Detach(session, this);
                return;
            }
            await SendAsync((session, subscription.Running), static (json, s) => WriteSessionInfo(json, s.session, s.Running));
            // Whoever knows of resume asks for what it lacks; whoever does not gets at least the whole answer.
            if (subscription.Running is { } running)
                Follow(running, 0, FollowMode.EndOnly, true);
        }
        finally
        {
            told.SetResult();
            lock (this)
            {
                if (_last == told.Task)
                    _last = Task.CompletedTask; // which every socket shares
            }
        }
    }

    private protected override async ValueTask OnMessageAsync(Verb verb, Inbound message)
    {
        var session = Session;
        Engine.Sessions.Touch(session);
        switch (verb)
        {
            case Verb.Stop:
                Engine.Stop(UserId, session.ConversationId, message.MessageId);
                break;
            case Verb.Resume:
                await ResumeAsync(session, message);
                break;
            default:
                await SubmitAsync(session, message);
                break;
        }
    }

    private async ValueTask SubmitAsync(ChatSession session, Inbound message)
    {
        if (message.MessageType is not (null or "text"))
            throw new ChatException(ChatErrorCode.BadRequest, "\"message_type\" must be \"text\".");
        var turn = new TurnRequest(UserId, message.Message ?? throw new ChatException(ChatErrorCode.BadRequest, "\"message\" is missing."))
        {
            ConversationId = session.ConversationId,
            ClientMessageId = message.ClientMessageId,
        };
        await Engine.SubmitAsync(turn, AcknowledgeAsync, Closed);
    }

    private async ValueTask AcknowledgeAsync(ChatSubmission submission)
    {
        var turn = submission.Turn;
        if (!submission.Repeated)
        {
            lock (this)
                (_own ??= new(StringComparer.Ordinal)).Add(turn.Id);
        }
        await SendAsync(submission, static (json, s) =>
        {
            json.WriteString("type"u8, "message_received"u8);
            json.WriteString("message_id"u8, s.Turn.Question.Id);
            json.WriteString("timestamp"u8, s.Turn.Question.CreatedAt.UtcDateTime);
            if (s.Turn.Question.ClientMessageId is { } clientId)
                json.WriteString("client_message_id"u8, clientId);
            json.WriteString("response_id"u8, s.Turn.Answer.Id);
            if (s.Repeated)
                json.WriteBoolean("repeated"u8, true);
        });
        // The one that repeats may have lost its socket before the answer, or is another one.
        if (submission.Repeated)
            Follow(turn, 0, FollowMode.All, true);
    }

    private async ValueTask ResumeAsync(ChatSession session, Inbound message)
    {
        if (message.MessageId is not { Length: > 0 } id)
            throw new ChatException(ChatErrorCode.BadRequest, "\"message_id\" is missing.");
        var turn = await Engine.FindTurnAsync(UserId, session.ConversationId, id, Closed) ?? throw ChatException.NotFound("Message");
        // Where the chunks are gone the end has the whole text, and any last_seq will do.
        if (message.LastSeq > turn.Answer.LastSeq && turn.Answer.HasChunks)
            throw new ChatException(ChatErrorCode.BadRequest, "\"last_seq\" is beyond the last chunk.");
        lock (this)
        {
            if (_streams?.Remove(turn.Answer.Id, out var replaced) == true)
                replaced!.Cancel();
        }
        bool isWaiting = turn.Answer.StartedAt == 0 && turn.Answer.HasChunks;
        Follow(turn, message.LastSeq, isWaiting ? FollowMode.All : FollowMode.Resumed, true);
    }

    void IConversationListener.OnAnswerStarting(ChatTurn turn)
    {
        bool isOwn;
        lock (this)
        {
            if (_silent?.Remove(turn.Id) == true)
                return;
            isOwn = _own?.Remove(turn.Id) == true;
        }
        Engine.Sessions.Touch(_session!);
        Follow(turn, 0, FollowMode.All, isOwn);
    }

    internal override void OnCodeTurn(ChatTurn turn)
    {
        if (turn.Conversation.Id != _session?.ConversationId)
            return;
        lock (this)
            (_silent ??= new(StringComparer.Ordinal)).Add(turn.Id);
    }

    void ISessionSocket.OnSessionEnded(SessionEnd reason)
    {
        _isOver = true;
        _ = EndAsync(reason);
    }

    private async Task EndAsync(SessionEnd reason)
    {
        (int code, var error) = reason switch
        {
            SessionEnd.Replaced => (SessionReplaced, new ChatError(ChatErrorCode.SessionReplaced, "A newer session took this one's place.")),
            SessionEnd.Deleted => (NormalClosure, new ChatError(ChatErrorCode.SessionClosed, "The session was closed.")),
            _ => (SessionExpired, new ChatError(ChatErrorCode.SessionClosed, "The session was closed for want of use.")),
        };
        await SendErrorAsync(error, null);
        await CloseAsync(code, error.Message);
    }

    private protected override void OnClosed()
    {
        AnswerStream[] streams;
        lock (this)
        {
            _isClosed = true;
            streams = [.. _streams?.Values ?? Enumerable.Empty<AnswerStream>()];
            _streams = null;
        }
        foreach (var stream in streams)
            stream.Cancel();
        _subscription?.Dispose();
        if (_session is { } session)
            Engine.Sessions.Detach(session, this);
    }

    private bool TryKeep(ChatEngine.Subscription subscription)
    {
        lock (this)
        {
            if (!_isClosed)
            {
                _subscription = subscription;
                return true;
            }
        }
        subscription.Dispose();
        return false;
    }

    /// <summary>Sends an answer, behind those that began before it; once only, however often it is asked for while it lasts.</summary>
    private void Follow(ChatTurn turn, int afterSeq, FollowMode mode, bool isOwn)
    {
        var stream = new AnswerStream(turn, afterSeq, mode, isOwn);
        lock (this)
        {
            _streams ??= new(StringComparer.Ordinal);
            bool followed = _streams.TryGetValue(turn.Answer.Id, out var present);
            if (_isClosed || (followed && !(present!.Mode == FollowMode.EndOnly && mode == FollowMode.All)))
                return;
            if (followed && _streams.Remove(turn.Answer.Id))
                present!.Cancel();
            if (_streams.Count < MaxBehind)
            {
                _streams.Add(turn.Answer.Id, stream);
                _last = SendAnswerAsync(_last, stream);
                return;
            }
        }
        _ = CloseAsync(PolicyViolation, "Too slow.").AsTask();
    }

    private async Task SendAnswerAsync(Task before, AnswerStream stream)
    {
        // Never on the caller's stack: it holds a lock, or is the answer's own beginning.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await before;
            await BeginAsync(stream);
            if (stream.Mode != FollowMode.EndOnly)
                await SendChunksAsync(stream);
            var result = await stream.Turn.Answer.Completion.WaitAsync(stream.Cancelled);
            if (TryEnd(stream))
                await SendEndAsync(stream.Turn, result);
        }
        catch (OperationCanceledException)
        {
            // The peer is gone, or has asked for this answer anew.
        }
        catch (Exception e)
        {
            ChatLog.SendFailed(Engine.Logger, e);
        }
    }

    private async ValueTask BeginAsync(AnswerStream stream)
    {
        if (stream.Mode != FollowMode.All)
            return;
        if (!stream.IsOwn)
        {
            await SendAsync(stream.Turn.Question, static (json, question) =>
            {
                json.WriteString("type"u8, "user_message"u8);
                json.WriteString("message_id"u8, question.Id);
                json.WriteString("message"u8, question.Content);
                json.WriteString("timestamp"u8, question.CreatedAt.UtcDateTime);
            });
        }
        await SendAsync((_session!.ChatbotName, stream.Turn), static (json, s) =>
        {
            json.WriteString("type"u8, "response_start"u8);
            json.WriteString("message"u8, $"{s.ChatbotName} is thinking...");
            json.WriteString("message_id"u8, s.Turn.Answer.Id);
            json.WriteString("reply_to"u8, s.Turn.Question.Id);
        });
    }

    private async ValueTask SendChunksAsync(AnswerStream stream)
    {
        using var reader = stream.Open();
        while (await reader.WaitAsync())
        {
            await Peer.WaitForRoomAsync(stream.Cancelled);
            // Between the wait and here: this read takes all that came meanwhile.
            if (stream.Cancelled.IsCancellationRequested || !reader.TryRead(out var chunk))
                break;
            await SendAsync((stream.Turn.Answer.Id, chunk), static (json, s) =>
            {
                json.WriteString("type"u8, "response_chunk"u8);
                json.WriteString("chunk"u8, s.chunk.Text.Span);
                json.WriteString("message_id"u8, s.Id);
                json.WriteNumber("seq"u8, s.chunk.Seq);
            });
        }
    }

    private bool TryEnd(AnswerStream stream)
    {
        lock (this)
            return _streams?.GetValueOrDefault(stream.Turn.Answer.Id) == stream && _streams!.Remove(stream.Turn.Answer.Id);
    }

    private async ValueTask SendEndAsync(ChatTurn turn, GenerationResult result)
    {
        if (result.Error is { } error)
        {
            await SendAsync((error, turn), static (json, s) =>
            {
                json.WriteString("type"u8, "error"u8);
                json.WriteString("message"u8, s.error.Message);
                WriteErrorDetails(json, s.error);
                json.WriteString("message_id"u8, s.turn.Answer.Id);
                json.WriteString("reply_to"u8, s.turn.Question.Id);
            });
        }
        // Means that it is on disk: an answer that could not be stored ends with the error.
        if (result.Saved)
            await SendAsync((turn, result), static (json, s) => WriteComplete(json, s.turn, s.result));
    }

    private static void WriteComplete(Utf8JsonWriter json, ChatTurn turn, GenerationResult result)
    {
        json.WriteString("type"u8, "response_complete"u8);
        json.WriteString("message_id"u8, turn.Answer.Id);
        json.WriteString("timestamp"u8, result.CompletedAt.UtcDateTime);
        json.WriteString("full_response"u8, result.Text);
        json.WriteString("finish_reason"u8, result.FinishReason);
        json.WriteString("reply_to"u8, turn.Question.Id);
        if (result.Usage is { } usage)
        {
            json.WriteStartObject("usage"u8);
            json.WriteNumber("prompt_tokens"u8, usage.PromptTokens);
            json.WriteNumber("completion_tokens"u8, usage.CompletionTokens);
            json.WriteNumber("total_tokens"u8, usage.PromptTokens + usage.CompletionTokens);
            json.WriteEndObject();
        }
        if (result.SourcesJson is { } sources)
        {
            json.WritePropertyName("sources"u8);
            json.WriteRawValue(sources);
        }
    }

    private static void WriteSessionInfo(Utf8JsonWriter json, ChatSession session, ChatTurn? running)
    {
        json.WriteString("type"u8, "session_info"u8);
        json.WriteString("session_id"u8, session.Id);
        json.WriteString("chatbot_name"u8, session.ChatbotName);
        json.WriteString("message"u8, $"Connected to {session.ChatbotName}. You can start chatting!");
        json.WriteString("conversation_id"u8, session.ConversationId);
        if (running is not null)
            json.WriteString("active_message_id"u8, running.Answer.Id);
    }

    private protected override void WriteError(Utf8JsonWriter json, ChatError error, Inbound? about)
    {
        json.WriteString("type"u8, "error"u8);
        json.WriteString("message"u8, error.Message);
        WriteErrorDetails(json, error);
        if (about?.ClientMessageId is { } clientId)
            json.WriteString("client_message_id"u8, clientId);
        if (about?.MessageId is { } id)
            json.WriteString("message_id"u8, id);
    }
}
