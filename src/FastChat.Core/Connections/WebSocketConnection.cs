using System.Buffers;
using System.Collections.ObjectModel;
using System.IO.Pipelines;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using FastChat.Diagnostics;
using FastChat.Handshake;
using FastChat.Protocol;
using FastChat.Protocol.Compression;
using FastChat.Transport;

namespace FastChat.Connections;

/// <summary>
/// One WebSocket connection, of a server or a client, after its handshake (RFC 6455 sections 5 to 7). Sending is safe from any number of
/// threads; each message goes out whole. Receiving is by a <see cref="WebSocketHandler"/>, or by <see cref="ReadMessageAsync"/> from one
/// place at a time. Pings are answered and silence is noticed without the application's doing.
/// </summary>
public sealed partial class WebSocketConnection : IWatched, IAsyncDisposable
{
    private static readonly TimeSpan HandlerGrace = TimeSpan.FromSeconds(2);
    private static long LastId;

    private readonly TransportConnection _transport;
    private readonly ConnectionSettings _settings;
    private MessageReader? _reader; // made when something first comes that is no whole frame in one piece
    private readonly FrameSender _sender;
    private readonly WebSocketHandler _handler;
    private readonly Agreement? _agreement; // null for the plain case: a literal path, no subprotocol, no extension
    private TaskCompletionSource? _completion;
    private CancellationTokenSource? _closed;
    private Suspension? _suspension; // made when a handler, or a transport without a read signal, first has to wait
    private KeepAlive _keepAlive;
    private int _endReason;
    private FrameError _error; // the rule the peer broke, for the log
    private bool _streamEnded;
    private bool _turnBegun; // there is, or was, a buffer being read
    private bool _inHandler; // an exception now is the application's
    private volatile bool _ended;

    internal WebSocketConnection(TransportConnection transport, ConnectionSettings settings, WebSocketHandler? handler, Agreement? agreement = null, WebSocketRequest? request = null)
    {
        _transport = transport;
        _settings = settings;
        _sender = new FrameSender(this, transport.Output, settings, agreement?.Deflater);
        _agreement = agreement;
        Request = request;
        _handler = handler ?? new PullReceiver();
        _keepAlive.SilentSince = settings.TimeProvider.GetTimestamp();
        Id = Interlocked.Increment(ref LastId);
    }

    /// <summary>A number of this process's own, for logs.</summary>
    public long Id { get; }

    /// <summary>Whatever the application wants to keep with the connection.</summary>
    public object? State { get; set; }

    /// <summary>
    /// The upgrade request: query, headers, subprotocols. It can be read in <see cref="WebSocketHandler.OnUpgradeAsync"/> and up to the first
    /// await of the handler, and ever after where <see cref="WebSocketRequest.Keep"/> was called by then; else it is null. On a client always null.
    /// </summary>
    public WebSocketRequest? Request { get; private set; }

    /// <summary>What the parameters of the mapped path stand for: "room" of "/rooms/{room}". Empty without any.</summary>
    public IReadOnlyDictionary<string, string> RouteValues => _agreement?.RouteValues ?? ReadOnlyDictionary<string, string>.Empty;

    /// <summary>The subprotocol agreed on; null for none.</summary>
    public string? Subprotocol => _agreement?.Subprotocol;

    /// <summary>Whether permessage-deflate was negotiated.</summary>
    public bool IsCompressed => _agreement?.IsCompressed ?? false;

    /// <summary>The peer's address, where the transport knows one.</summary>
    public EndPoint? RemoteEndPoint => _transport.RemoteEndPoint;

    /// <summary>The address of this end, where the transport knows one.</summary>
    public EndPoint? LocalEndPoint => _transport.LocalEndPoint;

    /// <summary>Bytes of frames that the transport has not taken yet.</summary>
    public long QueuedBytes => _sender.Queued;

    /// <summary>Messages dropped under <see cref="SendQueuePolicy.DropNewest"/>.</summary>
    public long DroppedMessages => _sender.Dropped;

    /// <summary>Whether data can be sent: no close frame has been sent or received, and the transport is there.</summary>
    public bool IsOpen => !_ended && !_sender.IsClosed && _endReason == 0;

    /// <summary>Why the connection ended, or is about to.</summary>
    public EndReason EndReason => (EndReason)Volatile.Read(ref _endReason);

    /// <summary>The code the peer closed with, or else the one this end did; 1006 where the stream just ended; none while open.</summary>
    public CloseCode CloseCode { get; private set; }

    /// <summary>The reason the peer gave.</summary>
    public string CloseReason { get; private set; } = "";

    /// <summary>
    /// Completes, never faulted, when the connection has ended and its resources are free. A message that <see cref="ReadMessageAsync"/> gave
    /// holds that up, as a handler does that has not returned, for its payload lies in the connection's buffer: read on until there is null,
    /// or dispose.
    /// </summary>
    public Task Completion
    {
        get
        {
            var completion = LazyInitializer.EnsureInitialized(ref _completion, static () => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            if (_ended) completion.TrySetResult();
            return completion.Task;
        }
    }

    /// <summary>Cancelled when the connection ends: for work done on its behalf.</summary>
    public CancellationToken Closed
    {
        get
        {
            var closed = LazyInitializer.EnsureInitialized(ref _closed, static () => new CancellationTokenSource());
            if (_ended || _endReason != 0) CancelClosed();
            return closed.Token;
        }
    }

    /// <summary>Sends UTF-8 text. The bytes are copied or handed to the kernel before this returns completed.</summary>
    /// <inheritdoc cref="SendAsync(WebSocketMessageKind, ReadOnlySequence{byte}, CancellationToken)"/>
    public ValueTask SendTextAsync(ReadOnlyMemory<byte> utf8, CancellationToken cancellationToken = default) =>
        _sender.SendAsync(Opcode.Text, new ReadOnlySequence<byte>(utf8), cancellationToken);

    /// <summary>Sends text. A lone surrogate goes out as U+FFFD.</summary>
    /// <inheritdoc cref="SendAsync(WebSocketMessageKind, ReadOnlySequence{byte}, CancellationToken)"/>
    public ValueTask SendTextAsync(string text, CancellationToken cancellationToken = default)
    {
        byte[] utf8 = _settings.Pool.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        int length = Encoding.UTF8.GetBytes(text, utf8);
        var sent = _sender.SendAsync(Opcode.Text, new ReadOnlySequence<byte>(utf8, 0, length), cancellationToken);
        if (!sent.IsCompleted) return ReturnAfter(sent, utf8);
        _settings.Pool.Return(utf8);
        return sent;

        async ValueTask ReturnAfter(ValueTask pending, byte[] buffer)
        {
            try
            {
                await pending.ConfigureAwait(false);
            }
            finally
            {
                _settings.Pool.Return(buffer);
            }
        }
    }

    /// <summary>Sends bytes.</summary>
    /// <inheritdoc cref="SendAsync(WebSocketMessageKind, ReadOnlySequence{byte}, CancellationToken)"/>
    public ValueTask SendBinaryAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default) =>
        _sender.SendAsync(Opcode.Binary, new ReadOnlySequence<byte>(data), cancellationToken);

    /// <summary>Sends a message on, as it came.</summary>
    /// <inheritdoc cref="SendAsync(WebSocketMessageKind, ReadOnlySequence{byte}, CancellationToken)"/>
    public ValueTask SendAsync(WebSocketMessage message, CancellationToken cancellationToken = default) =>
        _sender.SendAsync((Opcode)message.Kind, message.Payload, cancellationToken);

    /// <summary>Sends a message in one frame. Safe from any thread.</summary>
    /// <param name="kind">Text (which must be valid UTF-8; it is not checked again) or binary.</param>
    /// <param name="payload">The bytes; they must not change until the returned task completes, and may do so afterwards.</param>
    /// <param name="cancellationToken">Takes the message back while it waits for room in the queue. Once accepted it goes out whole; the connection lives on either way.</param>
    /// <returns>Completes when the message is accepted: handed to the kernel, or in the bounded queue.</returns>
    /// <exception cref="ConnectionClosedException">The connection is closed, closing or lost.</exception>
    /// <exception cref="OperationCanceledException">Cancelled before it was accepted.</exception>
    public ValueTask SendAsync(WebSocketMessageKind kind, ReadOnlySequence<byte> payload, CancellationToken cancellationToken = default) =>
        _sender.SendAsync((Opcode)kind, payload, cancellationToken);

    /// <summary>Begins a message that is sent in pieces as they come into being; see <see cref="MessageStream"/>. Nothing is sent before its first piece.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Neither text nor binary.</exception>
    public MessageStream OpenMessage(WebSocketMessageKind kind)
    {
        if (kind is not (WebSocketMessageKind.Text or WebSocketMessageKind.Binary)) throw new ArgumentOutOfRangeException(nameof(kind), kind, "Neither text nor binary.");
        return new MessageStream(this, _sender, kind);
    }

    /// <summary>
    /// Completes when the transport has taken everything sent so far, or never will: at once while the peer keeps up. A producer that
    /// awaits it can put together what comes meanwhile. Safe from any thread.
    /// </summary>
    public Task FlushedAsync(CancellationToken cancellationToken = default) => _sender.DrainedAsync().WaitAsync(cancellationToken);

    /// <summary>Sends a ping now, whatever the keep-alive does. At most 125 bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">More than 125 bytes.</exception>
    public void Ping(ReadOnlySpan<byte> payload = default)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payload.Length, 125, nameof(payload));
        _sender.Ping(payload);
    }

    /// <summary>
    /// The next message, for a connection without a message handler; null once it has ended. The message before it becomes invalid.
    /// From one place at a time. Cancelling leaves the connection as it was: the message that comes is there for the next call.
    /// </summary>
    /// <exception cref="InvalidOperationException">A read is pending already, or messages go to a handler.</exception>
    public ValueTask<WebSocketMessage?> ReadMessageAsync(CancellationToken cancellationToken = default) =>
        _handler is PullReceiver receiver ? receiver.ReadAsync(cancellationToken) : throw new InvalidOperationException("This connection's messages go to its handler.");

    /// <summary>
    /// The messages up to the end, for a connection without a message handler: <see cref="ReadMessageAsync"/> in a loop. Each is valid until
    /// the next is asked for: copy what is to live longer than one pass of the loop. Leaving the loop early leaves the connection open.
    /// </summary>
    /// <exception cref="InvalidOperationException">A read is pending already, or messages go to a handler.</exception>
    /// <exception cref="OperationCanceledException">Cancelled while waiting for a message; the connection is as it was.</exception>
    public async IAsyncEnumerable<WebSocketMessage> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (await ReadMessageAsync(cancellationToken).ConfigureAwait(false) is { } message) yield return message;
    }

    /// <summary>
    /// Begins the closing handshake behind what has been sent, unless one is under way. Does not wait for the peer: await
    /// <see cref="Completion"/> for that, though not inside the connection's own handler. After <see cref="WebSocketLimits.CloseTimeout"/>
    /// the connection is aborted.
    /// </summary>
    /// <param name="code">1000 to 1003, 1007 to 1014, or 3000 to 4999.</param>
    /// <param name="reason">At most 123 bytes of UTF-8; cut to that.</param>
    /// <exception cref="ArgumentOutOfRangeException">A code that must not be sent (RFC 6455 section 7.4).</exception>
    public ValueTask CloseAsync(CloseCode code = CloseCode.NormalClosure, string? reason = null)
    {
        if (!CloseFrame.IsSendable((int)code)) throw new ArgumentOutOfRangeException(nameof(code), code, "Not a code that may be sent.");
        Close(code, reason, EndReason.ClosedHere);
        return default;
    }

    /// <summary>
    /// Ends the connection at once, without a closing handshake; everything pending completes. Safe from any thread. A message that
    /// <see cref="ReadMessageAsync"/> gave stays valid even so, and until it is given up <see cref="Completion"/> waits.
    /// </summary>
    public void Abort() => AbortFor(EndReason.Aborted);

    /// <summary>
    /// Closes with 1000 if still open, and waits for the end: for <see cref="WebSocketLimits.CloseTimeout"/>, after which the connection is
    /// aborted, and two seconds more where its handler does not return. The last message read becomes invalid.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        Close(CloseCode.NormalClosure, null, EndReason.ClosedHere);
        if (_handler is PullReceiver receiver) receiver.Stop();
        try
        {
            await Completion.WaitAsync(_settings.Limits.CloseTimeout + HandlerGrace, _settings.TimeProvider).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The handler holds up the end; perhaps it is the one that waits here.
        }
    }

    /// <summary>Sends a frame that goes to many connections. Never waits.</summary>
    /// <returns>False where the connection does not get it.</returns>
    internal bool Offer(BroadcastFrame frame)
    {
        var offered = _sender.Offer(frame);
        if (offered != FrameSender.Offered.Later) return offered == FrameSender.Offered.Taken;
        // It waits in line as any message does, on a copy of its own: the frame's is gone by then.
        int length = (int)frame.Payload.Length;
        byte[] copy = _settings.Pool.Rent(length);
        frame.Payload.CopyTo(copy);
        _ = SendAsync(_sender, frame.Opcode, copy, length, _settings.Pool);
        return true;

        static async Task SendAsync(FrameSender sender, Opcode opcode, byte[] copy, int length, ArrayPool<byte> pool)
        {
            try
            {
                await sender.SendAsync(opcode, new ReadOnlySequence<byte>(copy, 0, length), CancellationToken.None).ConfigureAwait(false);
            }
            catch (ConnectionClosedException)
            {
                // As for a message that is in the queue when its connection ends.
            }
            finally
            {
                pool.Return(copy);
            }
        }
    }

    /// <summary>The handshake's buffer goes back to its pool.</summary>
    internal void ReleaseRequest()
    {
        if (Request?.Release() == true) Request = null;
    }
}
