using FastChat.Handshake;

namespace FastChat.Connections;

/// <summary>
/// What an application does with the connections of a path. One instance serves them all, from several threads at once; the calls of one
/// connection never overlap. They run on the thread that received the bytes, so they must not block: await instead, or ask for
/// <see cref="HandlerScheduling.ThreadPool"/>.
/// </summary>
public abstract class WebSocketHandler
{
    /// <summary>
    /// Decides on a valid upgrade request before it is answered: null accepts it, a refusal is sent in the place of 101. The request can be
    /// read until the returned task completes; see <see cref="WebSocketRequest.Keep"/>.
    /// </summary>
    public virtual ValueTask<UpgradeRefusal?> OnUpgradeAsync(WebSocketRequest request) => default;

    /// <summary>The connection is open. No message is read before this completes.</summary>
    public virtual ValueTask OnOpenAsync(WebSocketConnection connection) => default;

    /// <summary>
    /// A message came. The next one is read when this has completed; until then its payload stays valid. An exception closes the connection
    /// with 1011 and is logged, unless the connection is closed already.
    /// </summary>
    public abstract ValueTask OnMessageAsync(WebSocketConnection connection, WebSocketMessage message);

    /// <summary>The connection has ended; <see cref="WebSocketConnection.EndReason"/> says why. Called exactly once after <see cref="OnOpenAsync"/>.</summary>
    public virtual ValueTask OnClosedAsync(WebSocketConnection connection) => default;
}

/// <summary>Where handlers run.</summary>
public enum HandlerScheduling
{
    /// <summary>On the event loop's thread, up to their first await that has to wait: cheapest. They must not block.</summary>
    Inline,
    /// <summary>On the thread pool: for handlers that block or compute for long. Costs a switch of threads a receive.</summary>
    ThreadPool,
}

/// <summary>A handler that is a delegate.</summary>
internal sealed class DelegateHandler(Func<WebSocketConnection, WebSocketMessage, ValueTask> onMessage) : WebSocketHandler
{
    public override ValueTask OnMessageAsync(WebSocketConnection connection, WebSocketMessage message) => onMessage(connection, message);
}

/// <summary>A handler that is a delegate which pulls; every connection gets a receiver of its own.</summary>
internal sealed class PullHandler(Func<WebSocketConnection, Task> onConnection) : WebSocketHandler
{
    public PullReceiver Create() => new(onConnection);

    public override ValueTask OnMessageAsync(WebSocketConnection connection, WebSocketMessage message) => throw new NotSupportedException("Each connection has a receiver of its own.");
}

/// <summary>The HTTP answer that refuses an upgrade.</summary>
/// <param name="Status">300 to 599, 401 or 403 say.</param>
/// <param name="Text">Why, as plain text for whoever reads the body.</param>
/// <param name="Headers">Further headers, WWW-Authenticate say; null for none.</param>
public sealed record UpgradeRefusal(int Status, string Text, IReadOnlyList<KeyValuePair<string, string>>? Headers = null);
