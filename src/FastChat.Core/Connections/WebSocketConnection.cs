using System.Buffers;
using System.Collections.ObjectModel;
using System.IO.Pipelines;
using System.Net;
using System.Runtime.InteropServices;
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
public sealed class WebSocketConnection : IWatched, IAsyncDisposable
{
    private static readonly TimeSpan HandlerGrace = TimeSpan.FromSeconds(2);
    private static long LastId;

    private readonly TransportConnection _transport;
    private readonly ConnectionSettings _settings;
    private readonly MessageReader _reader;
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
        _reader = new MessageReader(settings.Role, settings.Limits.MaxFrameBytes, settings.Limits.MaxMessageBytes, settings.Pool, agreement?.Inflater);
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

    /// <summary>Completes, never faulted, when the connection has ended and its resources are free.</summary>
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

    /// <summary>Ends the connection at once, without a closing handshake; everything pending completes. Safe from any thread.</summary>
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

    /// <summary>The handshake's buffer goes back to its pool.</summary>
    internal void ReleaseRequest()
    {
        if (Request?.Release() == true) Request = null;
    }

    internal void Close(CloseCode code, string? reason, EndReason why)
    {
        SetDeadline(_settings.Limits.CloseTimeout, EndReason.CloseTimeout);
        if (_sender.Close(code, reason)) SetReason(why);
    }

    internal void AbortFor(EndReason why)
    {
        SetReason(why);
        _sender.Break();
        _transport.Abort();
    }

    /// <summary>The send queue overflowed and the policy has closed the connection; the peer has little time left to take the close frame.</summary>
    internal void OnSendQueueFull()
    {
        SetReason(EndReason.SendQueueFull);
        SetDeadline(_settings.Limits.CloseTimeout, EndReason.SendQueueFull);
    }

    /// <summary>Begins to serve the connection; returns at the first wait and never throws. <see cref="Completion"/> tells the end.</summary>
    internal void Start()
    {
        _settings.Heartbeat.Add(this);
        EngineMetrics.Connections.Add(1);
        try
        {
            _sender.BeginTurn();
            _inHandler = true;
            var opening = _handler.OnOpenAsync(this);
            _sender.EndTurn();
            if (!opening.IsCompleted)
            {
                Suspended.AwaitHandler(opening, default);
                return;
            }
            opening.GetAwaiter().GetResult();
            _inHandler = false;
        }
        catch (Exception e)
        {
            FailHandler(e, default);
            return;
        }
        Receive();
    }

    /// <summary>The handler's wait is over: goes on behind its message.</summary>
    internal void Resume()
    {
        ReadOnlySequence<byte> rest = default;
        try
        {
            Suspended.EndHandler(out rest);
            _inHandler = false;
        }
        catch (Exception e)
        {
            FailHandler(e, rest);
            return;
        }
        // Before the first message there is no buffer to go on in.
        if (!_turnBegun || Continue(rest)) Receive();
    }

    /// <summary>The transport has something, or has ended.</summary>
    internal void Receive()
    {
        try
        {
            while (true)
            {
                _keepAlive.Reading = true;
                if (!TryRead(out var result)) return;
                _keepAlive.Reading = false;
                _keepAlive.Received = true;
                _turnBegun = true;
                _streamEnded = result.IsCompleted;
                if (EngineMetrics.BytesReceived.Enabled) EngineMetrics.BytesReceived.Add(result.Buffer.Length);
                if (!Continue(result.Buffer)) return;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            _ = EndAsync(polite: false);
        }
        catch (Exception e)
        {
            _settings.Logger.ConnectionFailed(e, Id);
            _ = EndAsync(polite: false);
        }
    }

    /// <summary>Reads without waiting, or sees to it that <see cref="Receive"/> is called when there is something.</summary>
    private bool TryRead(out ReadResult result)
    {
        if (_transport.Input is IReadSignal signal) return signal.TryRead(Received, this, out result);
        return Suspended.TryRead(_transport.Input, out result);
    }

    private static readonly Action<object?> Received = static connection => ((WebSocketConnection)connection!).Receive();

    /// <summary>A turn: deals with what is in the buffer, sends what came of it, gives the buffer back.</summary>
    /// <returns>Whether to read on; else the connection has ended, or its handler waits and <see cref="Resume"/> will be called.</returns>
    private bool Continue(ReadOnlySequence<byte> buffer)
    {
        Step step;
        ValueTask handling;
        _sender.BeginTurn();
        try
        {
            step = Process(ref buffer, out handling);
        }
        catch (Exception e) when (_inHandler)
        {
            FailHandler(e, buffer);
            return false;
        }
        _sender.EndTurn();
        if (step == Step.Handling)
        {
            // The payload stays where it is.
            Suspended.AwaitHandler(handling, buffer);
            return false;
        }
        _reader.Release();
        _transport.Input.AdvanceTo(buffer.Start, buffer.End);
        if (step != Step.Closing && !_streamEnded) return true;
        _ = EndAsync(polite: step == Step.Closing);
        return false;
    }

    private Suspension Suspended => _suspension ??= new Suspension(this);

    private void FailHandler(Exception e, in ReadOnlySequence<byte> rest)
    {
        _sender.EndTurn();
        OnHandlerFailed(e);
        _reader.Release();
        if (_turnBegun) _transport.Input.AdvanceTo(rest.End); // what follows is of no interest any more
        _ = EndAsync(polite: true);
    }

    internal void OnHandlerFailed(Exception e)
    {
        // A handler that fails because its connection is gone has nothing to tell.
        if (EndReason == EndReason.None && e is not ConnectionClosedException) _settings.Logger.HandlerFailed(e, Id);
        Close(CloseCode.InternalError, null, EndReason.HandlerFailed);
    }

    private enum Step
    {
        NeedMore,
        Handling,
        Closing,
    }

    /// <summary>Deals with everything complete in the buffer, up to a handler that has to wait.</summary>
    private Step Process(ref ReadOnlySequence<byte> buffer, out ValueTask handling)
    {
        handling = default;
        if (buffer.IsSingleSegment && MemoryMarshal.TryGetArray(buffer.First, out var segment))
        {
            int taken = 0;
            while (taken < segment.Count)
            {
                var found = _reader.ReadWhole(segment.AsSpan(taken), out int start, out int length);
                if (found == ReadEvent.NeedMore) break;
                var payload = new ReadOnlySequence<byte>(segment.Array!, segment.Offset + taken + start, length);
                taken += start + length;
                if (Dispatch(found, payload, out handling) is var step and not Step.NeedMore)
                {
                    buffer = buffer.Slice(taken);
                    return step;
                }
            }
            if (taken > 0) buffer = buffer.Slice(taken);
            if (buffer.IsEmpty) return Step.NeedMore;
        }
        while (true)
        {
            var found = _reader.Read(ref buffer, out var payload);
            if (found == ReadEvent.NeedMore) return Step.NeedMore;
            if (Dispatch(found, payload, out handling) is var step and not Step.NeedMore) return step;
        }
    }

    private Step Dispatch(ReadEvent found, in ReadOnlySequence<byte> payload, out ValueTask handling)
    {
        handling = default;
        switch (found)
        {
            case ReadEvent.Message:
                if (_sender.IsClosed) return Step.NeedMore; // after our close frame the peer's data is of no interest (RFC 6455 section 1.4)
                if (EngineMetrics.MessagesReceived.Enabled) EngineMetrics.MessagesReceived.Add(1);
                _inHandler = true;
                handling = _handler.OnMessageAsync(this, new WebSocketMessage((WebSocketMessageKind)_reader.MessageOpcode, payload));
                if (!handling.IsCompleted) return Step.Handling;
                handling.GetAwaiter().GetResult();
                _inHandler = false;
                return Step.NeedMore;
            case ReadEvent.Ping:
                _sender.Pong(payload);
                return Step.NeedMore;
            case ReadEvent.Pong:
                return Step.NeedMore; // that something came says what a pong has to say
            case ReadEvent.Close:
                OnCloseFrame(payload);
                return Step.Closing;
            default:
                Fail(_reader.Error);
                return Step.Closing;
        }
    }

    private void OnCloseFrame(in ReadOnlySequence<byte> payload)
    {
        Span<byte> data = stackalloc byte[125];
        payload.CopyTo(data);
        var error = CloseFrame.Read(data[..(int)payload.Length], out var code, out string reason);
        if (error != FrameError.None)
        {
            Fail(error);
            return;
        }
        CloseCode = code;
        CloseReason = reason;
        // 5.5.1: the answer echoes the code; an empty close is answered by an empty one.
        Close(code, null, EndReason.ClosedByPeer);
    }

    /// <summary>RFC 6455 section 7.1.7: says why, once, and ends.</summary>
    private void Fail(FrameError error)
    {
        _error = error;
        var code = FrameErrors.CloseCodeOf(error);
        CloseCode = code;
        SetReason(code switch
        {
            CloseCode.MessageTooBig => EndReason.MessageTooBig,
            CloseCode.InvalidPayloadData => EndReason.InvalidPayload,
            _ => EndReason.ProtocolError,
        });
        Close(code, null, EndReason);
    }

    /// <summary>
    /// Both close frames have been said, or ours has to suffice: lets ours go out, ends our side of the stream, and reads the peer's to its
    /// end. Closing the socket on unread bytes would make the kernel send a reset that can overtake the close frame.
    /// </summary>
    /// <returns>Whether the stream came to its end; else it broke, or time ran out.</returns>
    private async ValueTask<bool> LingerAsync()
    {
        SetDeadline(_settings.Limits.CloseTimeout, EndReason.CloseTimeout);
        try
        {
            await _sender.DrainedAsync().ConfigureAwait(false);
            await _transport.ShutdownAsync().ConfigureAwait(false);
            while (true)
            {
                var result = await _transport.Input.ReadAsync().ConfigureAwait(false);
                _transport.Input.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted) return true;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException)
        {
            return false;
        }
    }

    private async Task EndAsync(bool polite)
    {
        if (polite) polite = await LingerAsync().ConfigureAwait(false);
        if (!polite) SetReason(EndReason.PeerVanished); // unless somebody said before why
        _settings.Heartbeat.Remove(this);
        EngineMetrics.Connections.Add(-1);
        if (CloseCode == CloseCode.None) CloseCode = _sender.IsClosed && EndReason != EndReason.PeerVanished ? _sender.ClosedWith : CloseCode.AbnormalClosure;
        if (EngineMetrics.ConnectionsEnded.Enabled) EngineMetrics.ConnectionsEnded.Add(1, new KeyValuePair<string, object?>("reason", EndReason.ToString()));
        _settings.Logger.ConnectionEnded(Id, EndReason, CloseCode, _error);
        _sender.Break();
        if (!polite) _transport.Abort();
        await _sender.DrainedAsync().ConfigureAwait(false);
        await _transport.DisposeAsync().ConfigureAwait(false);
        _sender.Dispose();
        _reader.Dispose();
        try
        {
            await _handler.OnClosedAsync(this).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _settings.Logger.HandlerFailed(e, Id);
        }
        _ended = true;
        Interlocked.MemoryBarrier(); // whoever makes the next two from now on sees that it has ended
        _settings.OnEnded?.Invoke(this);
        CancelClosed();
        Volatile.Read(ref _completion)?.TrySetResult();
    }

    private void SetReason(EndReason reason)
    {
        if (Interlocked.CompareExchange(ref _endReason, (int)reason, 0) != 0) return;
        CancelClosed();
        if (_handler is PullReceiver receiver) receiver.Drop();
    }

    /// <summary>Runs the application's callbacks; what they throw must not stop the end.</summary>
    private void CancelClosed()
    {
        try
        {
            Volatile.Read(ref _closed)?.Cancel();
        }
        catch (AggregateException e)
        {
            _settings.Logger.CallbackFailed(e, Id);
        }
    }

    private void SetDeadline(TimeSpan after, EndReason reason) => _keepAlive.SetDeadline(_settings.TimeProvider, after, reason);

    IWatched? IWatched.NextWatched { get; set; }

    IWatched? IWatched.PreviousWatched { get; set; }

    void IWatched.OnBeat(long now)
    {
        switch (_keepAlive.Beat(now, _settings.TimeProvider, _settings.Limits))
        {
            case KeepAlive.Verdict.Ping:
                _sender.Ping(default);
                break;
            case KeepAlive.Verdict.Silent:
                AbortFor(EndReason.PongTimeout);
                break;
            case KeepAlive.Verdict.Overdue:
                // A close that the peer never answered was no closing handshake.
                if (CloseCode == CloseCode.None) Interlocked.CompareExchange(ref _endReason, (int)_keepAlive.DeadlineReason, (int)EndReason.ClosedHere);
                AbortFor(_keepAlive.DeadlineReason);
                break;
            default:
                break;
        }
    }
}
