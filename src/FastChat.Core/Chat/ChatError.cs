namespace FastChat.Chat;

/// <summary>Kinds of failure that a client can act upon. <see cref="ChatErrorCodes.ToWire"/> is their spelling on the wire.</summary>
public enum ChatErrorCode
{
    /// <summary>Not one valid JSON object, or nested too deeply (400).</summary>
    BadJson,
    /// <summary>JSON, but not what is asked for: a field is missing, empty, of the wrong type or out of range (400).</summary>
    BadRequest,
    /// <summary>A <c>type</c> that this socket does not know (400).</summary>
    UnknownType,
    /// <summary>Longer than the limit (413).</summary>
    TooLarge,
    /// <summary>Who asks is not known (401).</summary>
    Unauthorized,
    /// <summary>Not there, or somebody else's: the two look alike on purpose (404).</summary>
    NotFound,
    /// <summary>There already (409).</summary>
    Conflict,
    /// <summary>More requests than the user may make; see <see cref="ChatError.RetryAfter"/> (429).</summary>
    RateLimited,
    /// <summary>Too many messages of this conversation wait for their answer already (429).</summary>
    Busy,
    /// <summary>The server produces as many answers as it may (503).</summary>
    Overloaded,
    /// <summary>The server is going down (503).</summary>
    ShuttingDown,
    /// <summary>The store cannot be read or written now (503).</summary>
    Unavailable,
    /// <summary>The model failed (502).</summary>
    ModelFailed,
    /// <summary>The model took too long (504).</summary>
    ModelTimedOut,
    /// <summary>Another session of the same user took this one's place.</summary>
    SessionReplaced,
    /// <summary>The session was deleted, or nobody used it for too long.</summary>
    SessionClosed,
    /// <summary>A failure of this server; what it was is in its log (500).</summary>
    Internal,
}

/// <summary>Spellings of <see cref="ChatErrorCode"/>.</summary>
public static class ChatErrorCodes
{
    /// <summary>The word for a code in JSON: snake case, stable.</summary>
    public static string ToWire(this ChatErrorCode code) => code switch
    {
        ChatErrorCode.BadJson => "bad_json",
        ChatErrorCode.BadRequest => "bad_request",
        ChatErrorCode.UnknownType => "unknown_type",
        ChatErrorCode.TooLarge => "too_large",
        ChatErrorCode.Unauthorized => "unauthorized",
        ChatErrorCode.NotFound => "not_found",
        ChatErrorCode.Conflict => "conflict",
        ChatErrorCode.RateLimited => "rate_limited",
        ChatErrorCode.Busy => "busy",
        ChatErrorCode.Overloaded => "overloaded",
        ChatErrorCode.ShuttingDown => "shutting_down",
        ChatErrorCode.Unavailable => "unavailable",
        ChatErrorCode.ModelFailed => "model_failed",
        ChatErrorCode.ModelTimedOut => "model_timed_out",
        ChatErrorCode.SessionReplaced => "session_replaced",
        ChatErrorCode.SessionClosed => "session_closed",
        _ => "internal",
    };
}

/// <summary>What went wrong, fit for the user's eyes.</summary>
/// <param name="Code">The kind.</param>
/// <param name="Message">One sentence without secrets, addresses or anybody's text.</param>
/// <param name="RetryAfter">How long to wait before trying again; null when nobody knows.</param>
public sealed record ChatError(ChatErrorCode Code, string Message, TimeSpan? RetryAfter = null)
{
    internal static ChatError From(Exception exception) => exception switch
    {
        ChatException chat => chat.Error,
        ModelException { Failure: ModelFailure.TimedOut } model => new(ChatErrorCode.ModelTimedOut, model.Message, model.RetryAfter),
        ModelException model => new(ChatErrorCode.ModelFailed, model.Message, model.RetryAfter),
        Storage.StoreException { Error: Storage.StoreError.InvalidRequest } => new(ChatErrorCode.BadRequest, "That cannot be looked up."),
        Storage.StoreException { Error: Storage.StoreError.Closed } => new(ChatErrorCode.ShuttingDown, "The server is shutting down."),
        Storage.StoreException => new(ChatErrorCode.Unavailable, "The history cannot be reached right now. Please try again."),
        _ => new(ChatErrorCode.Internal, "Something went wrong on the server."),
    };
}

/// <summary>The engine refuses. Thrown for what a caller did, never for a defect.</summary>
/// <param name="error">What to tell the client.</param>
public sealed class ChatException(ChatError error) : Exception(error.Message)
{
    /// <summary>Makes one.</summary>
    public ChatException(ChatErrorCode code, string message) : this(new ChatError(code, message)) { }

    /// <summary>What to tell the client.</summary>
    public ChatError Error { get; } = error;

    internal static ChatException NotFound(string what) => new(ChatErrorCode.NotFound, what + " not found.");
}
