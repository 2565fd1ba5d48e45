using System.Buffers;
using System.Text.Json;
using FastChat.Diagnostics;
using FastChat.Dispatch;
using FastChat.Storage;

namespace FastChat.Chat.Dialects;

/// <summary>What a peer wants, whatever its dialect calls it.</summary>
internal enum Verb
{
    None,
    Message,
    Stop,
    Resume,
    UserDetails,
    ListSessions,
    ListChats,
    ChatMessage,
    DeleteSession,
    ListModels,
}

/// <summary>
/// One socket in one dialect, without the socket: a host calls <see cref="OpenAsync"/> once, <see cref="ReceiveAsync"/> for each message,
/// one at a time, and <see cref="DisposeAsync"/> when the connection is gone. What the dialect has to say goes to the
/// <see cref="IChatPeer"/>. Nothing a peer sends makes these throw; a message that is wrong gets an error, and the connection lives on.
/// </summary>
public abstract class ChatSocket : IAsyncDisposable
{
    private const int PolicyViolation = 1008;

    // RFC 6455 section 5.5: 125 bytes of a control frame, less the code.
    private const int MaxReasonBytes = 123;

    private readonly CancellationTokenSource _closed = new();
    private readonly CodeRequests _codes;
    private OrderedReplies? _replies;
    private int _disposed;

    private protected ChatSocket(ChatEngine engine, IChatPeer peer, ChatSocketRequest request, IChatRateLimiter limiter)
    {
        (Engine, Peer, Request, Limiter) = (engine, peer, request, limiter);
        Closed = _closed.Token;
        _codes = new CodeRequests(this);
    }

    internal ChatEngine Engine { get; }

    internal IChatPeer Peer { get; }

    internal ChatSocketRequest Request { get; }

    internal IChatRateLimiter Limiter { get; }

    /// <summary>Cancelled when the connection is gone.</summary>
    internal CancellationToken Closed { get; }

    /// <summary>Answers sent whole.</summary>
    internal OrderedReplies Replies => LazyInitializer.EnsureInitialized(ref _replies, () => new OrderedReplies(Engine.Logger, Closed));

    /// <summary>The user's id. Only where there is a user.</summary>
    internal string UserId => Request.User!.Id;

    /// <summary>Makes the socket for a dialect.</summary>
    public static ChatSocket Create(
        ChatDialect dialect, ChatEngine engine, IChatPeer peer, ChatSocketRequest request, IChatRateLimiter limiter)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(peer);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(limiter);
        return dialect switch
        {
            ChatDialect.Text => new TextSocket(engine, peer, request, limiter),
            ChatDialect.Message => new MessageSocket(engine, peer, request, limiter),
            ChatDialect.Session => new SessionSocket(engine, peer, request, limiter),
            ChatDialect.Conversation => new ConversationSocket(engine, peer, request, limiter),
            ChatDialect.Codes => new CodesSocket(engine, peer, request, limiter),
            _ => throw new ArgumentOutOfRangeException(nameof(dialect)),
        };
    }

    /// <summary>
    /// Says what the dialect says first. False when the socket is refused: the peer was told why, and is being closed with 1008.
    /// </summary>
    public async ValueTask<bool> OpenAsync()
    {
        var error = Request.User is null && !AllowsAnonymous
            ? new ChatError(ChatErrorCode.Unauthorized, Request.AuthError ?? "Authentication failed.")
            : null;
        try
        {
            if (error is null)
                await OnOpenAsync();
        }
        catch (Exception e)
        {
            error = ToError(e);
        }
        if (error is null)
            return true;
        await SendErrorAsync(error, null);
        await CloseAsync(PolicyViolation, error.Message);
        return false;
    }

    /// <summary>Deals with one message. Completes when the next one may come; answers come by themselves.</summary>
    /// <param name="message">A whole message, text or binary. Read before the first wait; not kept.</param>
    public ValueTask ReceiveAsync(ReadOnlySequence<byte> message)
    {
        if (Closed.IsCancellationRequested)
            return default;
        if (message.Length <= Engine.Options.MaxEnvelopeBytes && TryReadText(message, out var text))
            return HandleAsync(Verb.Message, text, null);
        var routing = Engine.Router.Route(message, out var verb, out var envelope);
        int? code = envelope.Kind == EnvelopeKind.Code ? envelope.Code : null;
        if (routing == EnvelopeError.MissingType && AllowsUntyped)
            verb = Verb.Message;
        else if (routing == EnvelopeError.None && !(code is not null || Knows(verb)))
            routing = EnvelopeError.UnknownType;
        if (verb == Verb.None || routing == EnvelopeError.UnknownType)
            return HandleAsync(Verb.None, Inbound.Empty(code), ToError(routing));
        var error = Inbound.TryRead(message, code, out var inbound);
        return HandleAsync(verb, inbound, error);
    }

    /// <summary>
    /// The user is not identified any longer, since a token has expired say: tells the peer in its dialect and closes with 1008. Any thread
    /// may call it; a peer that does not read holds it up.
    /// </summary>
    /// <param name="reason">One sentence for the peer.</param>
    public async ValueTask ExpireAsync(string reason)
    {
        await SendErrorAsync(new ChatError(ChatErrorCode.Unauthorized, reason), null);
        await CloseAsync(PolicyViolation, reason);
    }

    /// <summary>
    /// Completes when the answers that are over have been handed to the peer: a host that shuts down waits for it between
    /// <see cref="ChatEngine.DrainAsync"/> and closing. Bound it: a peer that does not read holds it up.
    /// </summary>
    public virtual Task IdleAsync() => Volatile.Read(ref _replies)?.IdleAsync() ?? Task.CompletedTask;

    /// <summary>The connection is gone, or is to be let go. Running answers go on. Idempotent.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _closed.CancelAsync();
        OnClosed();
        GC.SuppressFinalize(this);
    }

    private protected virtual bool AllowsAnonymous => false;

    /// <summary>Whether a message without <c>type</c> is a chat message here.</summary>
    private protected virtual bool AllowsUntyped => false;

    private protected abstract bool Knows(Verb verb);

    private protected virtual ValueTask OnOpenAsync() => default;

    private protected abstract ValueTask OnMessageAsync(Verb verb, Inbound message);

    private protected virtual void OnClosed() { }

    /// <summary>Writes an error as this dialect does, within the object that is open.</summary>
    private protected abstract void WriteError(Utf8JsonWriter json, ChatError error, Inbound? about);

    /// <summary>A message that is no JSON on purpose.</summary>
    private protected virtual bool TryReadText(in ReadOnlySequence<byte> message, out Inbound text)
    {
        text = null!;
        return false;
    }

    /// <summary>A turn was asked for by a numeric message: its answer goes out in that dialect and no other.</summary>
    internal virtual void OnCodeTurn(ChatTurn turn) { }

    /// <summary>Sends one JSON object. A peer that is gone is no error: nobody is left to tell.</summary>
    internal async ValueTask SendAsync<TState>(TState state, Action<Utf8JsonWriter, TState> write)
    {
        using var frame = Engine.Frames.Rent();
        frame.Json.WriteStartObject();
        write(frame.Json, state);
        frame.Json.WriteEndObject();
        await SendAsync(frame);
    }

    internal async ValueTask SendAsync(JsonFrame frame)
    {
        try
        {
            await Peer.SendTextAsync(frame.Bytes, Closed);
        }
        catch (Exception e)
        {
            ChatLog.SendFailed(Engine.Logger, e);
        }
    }

    internal ValueTask SendErrorAsync(ChatError error, Inbound? about) => about?.Code is null
        ? SendAsync((Socket: this, error, about), static (json, s) => s.Socket.WriteError(json, s.error, s.about))
        : SendAsync((error, about), static (json, s) => CodeRequests.WriteError(json, s.error, s.about));

    private protected async ValueTask CloseAsync(int code, string reason)
    {
        try
        {
            await Peer.CloseAsync(code, Text.CutToBytes(reason, MaxReasonBytes));
        }
        catch (Exception e)
        {
            ChatLog.SendFailed(Engine.Logger, e);
        }
    }

    internal static void WriteErrorDetails(Utf8JsonWriter json, ChatError error)
    {
        json.WriteString("code"u8, error.Code.ToWire());
        if (error.RetryAfter is { } wait)
            json.WriteNumber("retry_after"u8, Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)));
    }

    private async ValueTask HandleAsync(Verb verb, Inbound message, ChatError? error)
    {
        try
        {
            var user = error is null && Request.User is null ? await ResolveUserAsync(message) : Request.User;
            // A wrong message counts as well, or writing errors would be free.
            if (user is not null && verb is not (Verb.Stop or Verb.Resume))
                error = await LimitAsync(user.Id) ?? error;
            if (error is null && message.Code is not null)
                await _codes.HandleAsync(verb, message, user!);
            else if (error is null)
                await OnMessageAsync(verb, message);
        }
        catch (OperationCanceledException) when (Closed.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e)
        {
            error = ToError(e);
        }
        if (error is not null)
        {
            ChatLog.MessageRefused(Engine.Logger, error.Code);
            await SendErrorAsync(error, message);
        }
    }

    private async ValueTask<UserRecord> ResolveUserAsync(Inbound message) =>
        message.UserId is { Length: > 0 } id ? await Engine.Directory.GetUserAsync(id, Closed)
            : throw new ChatException(ChatErrorCode.BadRequest, "\"user_id\" is missing.");

    /// <summary>Counts a message of this user's; an error where it is one too many.</summary>
    private protected async ValueTask<ChatError?> LimitAsync(string userId)
    {
        var decision = await Limiter.AcquireAsync(userId, Closed);
        if (decision.IsAllowed)
            return null;
        Engine.Metrics.RateLimited();
        return new ChatError(ChatErrorCode.RateLimited, "Too many requests. Please wait.", decision.RetryAfter);
    }

    private ChatError ToError(Exception exception)
    {
        var error = ChatError.From(exception);
        if (error.Code == ChatErrorCode.Internal || exception is StoreException)
            ChatLog.MessageFailed(Engine.Logger, exception);
        return error;
    }

    private ChatError ToError(EnvelopeError error) => error switch
    {
        EnvelopeError.TooLarge => new(ChatErrorCode.TooLarge, $"The message is longer than {Engine.Options.MaxEnvelopeBytes} bytes."),
        EnvelopeError.NotAnObject => new(ChatErrorCode.BadJson, "The message must be a JSON object."),
        EnvelopeError.TooDeep => new(ChatErrorCode.BadJson, "The message is nested too deeply."),
        EnvelopeError.MissingType => new(ChatErrorCode.BadRequest, "\"type\" is missing."),
        EnvelopeError.InvalidType => new(ChatErrorCode.BadRequest, "\"type\" must be a string or a whole number."),
        EnvelopeError.DuplicateType => new(ChatErrorCode.BadRequest, "\"type\" stands there twice."),
        EnvelopeError.UnknownType => new(ChatErrorCode.UnknownType, "Messages of this type are not known here."),
        _ => new(ChatErrorCode.BadJson, "The message is not valid JSON."),
    };
}
