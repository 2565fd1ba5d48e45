using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using FastChat.Buffers;
using FastChat.Diagnostics;
using FastChat.Protocol;
using FastChat.Protocol.Compression;

namespace FastChat.Connections;

/// <summary>
/// The sending half of a connection: frames from any thread, each whole, in one order; a bounded queue for a peer that does not read; at
/// most one flush under way.
/// </summary>
/// <remarks>
/// Frames are written straight into the transport while no flush is pending, else they gather in a queue that moves over when it has
/// completed. During a turn (<see cref="BeginTurn"/>) flushing is put off to its end: many small frames, one system call.
/// </remarks>
internal sealed partial class FrameSender
{
    /// <summary>A turn that writes more than this flushes in between.</summary>
    private const int CorkLimit = 64 * 1024;

    private readonly Lock _gate = new(); // a third of the price of the object's own monitor
    private readonly WebSocketConnection _owner;
    private readonly PipeWriter _output;
    private readonly ConnectionSettings _settings;
    private readonly MessageDeflater? _deflater;
    private Backlog? _backlog; // made when a flush first has to wait
    private long _unflushed; // bytes in the transport's writer that its last flush has not taken
    private int _control; // those of them that are control frames
    private bool _flushing;
    private bool _inTurn;
    private bool _broken;

    public FrameSender(WebSocketConnection owner, PipeWriter output, ConnectionSettings settings, MessageDeflater? deflater)
    {
        _owner = owner;
        _output = output;
        _settings = settings;
        _deflater = deflater;
    }

    /// <summary>The close code sent; <see cref="CloseCode.None"/> before.</summary>
    public CloseCode ClosedWith { get; private set; }

    /// <summary>Whether a close frame has been written, after which nothing may follow.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Messages that <see cref="SendQueuePolicy.DropNewest"/> has dropped.</summary>
    public long Dropped => _backlog?.Dropped ?? 0;

    /// <summary>Bytes of frames not yet handed to the transport.</summary>
    public long Queued
    {
        get { lock (_gate) return QueuedBytes; }
    }

    private long QueuedBytes => _unflushed + (_backlog?.QueueLength ?? 0);

    /// <summary>What counts against the quota: not control frames.</summary>
    private long QueuedData => QueuedBytes - _control - (_backlog?.QueuedControl ?? 0);

    private bool HasWaiters => _backlog is { FirstWaiter: not null };

    /// <summary>Whether a message that comes now has to wait for others: those that wait for room, or one that goes out in pieces.</summary>
    private bool IsHeldUp => _backlog is { HoldsUp: true };

    /// <summary>From now on flushing waits for <see cref="EndTurn"/>. For the one thread that runs the connection's turn.</summary>
    public void BeginTurn() => _inTurn = true;

    /// <summary>Sends what the turn, and other threads meanwhile, have written.</summary>
    public void EndTurn()
    {
        lock (_gate)
        {
            _inTurn = false;
            if (_unflushed > 0 && !_flushing) Flush();
            // A flush that completes at once calls nobody back.
            if (HasWaiters && !_flushing) Resume();
        }
    }

    /// <summary>Sends what the turn has written so far, without waiting for its end.</summary>
    public void FlushWritten()
    {
        lock (_gate)
        {
            if (_unflushed > 0 && !_flushing && !_broken) Flush();
        }
    }

    /// <summary>Sends a data message.</summary>
    /// <returns>Completes once the message is in the queue or the transport; what happens when the queue is full is the policy's.</returns>
    public ValueTask SendAsync(Opcode opcode, in ReadOnlySequence<byte> payload, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        SendWaiter? waiter = null;
        lock (_gate)
        {
            if (IsClosed || _broken) return ValueTask.FromException(new ConnectionClosedException(_owner.EndReason, Code));
            if (!IsHeldUp && HasRoom(payload.Length))
            {
                Write(opcode, payload);
                return default;
            }
            if (EngineMetrics.SendQueueDepth.Enabled) EngineMetrics.SendQueueDepth.Record(QueuedData);
            var policy = MayWait(payload.Length) ? SendQueuePolicy.Wait : _settings.Limits.SendQueuePolicy;
            if (policy == SendQueuePolicy.DropNewest)
            {
                CountDropped();
                return default;
            }
            if (policy == SendQueuePolicy.Close) WriteClose(CloseCode.PolicyViolation, "send queue full");
            else Behind.Add(waiter = SendWaiter.Rent(this, opcode, payload));
        }
        return Wait(waiter, cancellationToken);
    }

    /// <summary>Sends a ping, outside the queue's quota.</summary>
    public void Ping(ReadOnlySpan<byte> payload)
    {
        lock (_gate)
        {
            if (!IsClosed && !_broken) WriteControl(Opcode.Ping, payload);
        }
    }

    /// <summary>
    /// Answers a ping. While the peer does not take what is sent, only the last answer is kept (RFC 6455 section 5.5.3 allows to answer
    /// the most recent ping alone), so a flood queues nothing.
    /// </summary>
    public void Pong(in ReadOnlySequence<byte> payload)
    {
        Span<byte> data = stackalloc byte[125];
        payload.CopyTo(data);
        lock (_gate)
        {
            if (IsClosed || _broken) return;
            if (!_flushing) WriteControl(Opcode.Pong, data[..(int)payload.Length]);
            else
            {
                Behind.Pong.Clear();
                FrameWriter.Write(Behind.Pong, Opcode.Pong, data[..(int)payload.Length], maskKey: NextMask());
            }
        }
    }

    /// <summary>Writes the close frame, once; sends still waiting for room fail.</summary>
    /// <returns>False where one has been written before, or the transport is gone.</returns>
    public bool Close(CloseCode code, string? reason)
    {
        lock (_gate)
        {
            if (IsClosed || _broken) return false;
            WriteClose(code, reason);
            return true;
        }
    }

    /// <summary>Completes when everything written so far has been taken by the transport, or never will be.</summary>
    public Task DrainedAsync()
    {
        lock (_gate)
        {
            if (!_flushing && _unflushed > 0 && !_broken) Flush();
            return _flushing ? (Behind.Drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task : Task.CompletedTask;
        }
    }

    /// <summary>Fails the sends that wait, and every later one.</summary>
    public void Break()
    {
        lock (_gate)
        {
            _broken = true;
            FailWaiters();
        }
    }

    /// <summary>Gives up what only a connection with traffic needs. It is made again when it is needed again.</summary>
    public void Trim()
    {
        if (_backlog is null) return; // looked at without the lock: the next beat comes
        lock (_gate)
        {
            if (!_flushing && _backlog is { IsIdle: true }) _backlog = null;
        }
    }

    /// <summary>Returns buffers and native state, once no flush is under way and the connection has ended.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _broken = true;
            _backlog?.Clear();
            _deflater?.Dispose();
        }
    }

    /// <summary>Takes a waiter out again whose token was cancelled; nothing of its message has been written.</summary>
    public void Cancel(SendWaiter waiter, CancellationToken token)
    {
        lock (_gate)
        {
            if (_backlog?.Remove(waiter) == true) waiter.Complete(new OperationCanceledException(token));
        }
    }

    /// <summary>Whether the queue takes so many bytes more, for somebody who need not wait for others.</summary>
    private bool HasRoom(long length)
    {
        long queued = QueuedData;
        return queued == 0 || queued + length <= _settings.Limits.SendQueueBytes || (_inTurn && !_flushing && FlushTurn());
    }

    /// <summary>The turn itself has filled the queue: lets the transport have it before judging the peer.</summary>
    private bool FlushTurn()
    {
        Flush();
        return QueuedBytes == 0;
    }

    /// <summary>Waiting for the end of a message in pieces is no sign of a slow peer, as long as all that waits would fit into the queue.</summary>
    private bool MayWait(long length) => _backlog is { HoldsUp: true } behind && QueuedData + behind.WaitingBytes + length <= _settings.Limits.SendQueueBytes;

    private void CountDropped()
    {
        Behind.Dropped++;
        EngineMetrics.MessagesDropped.Add(1);
    }

    /// <summary>Outside the lock: gives the task of a waiter; with none, the queue was full and the connection has been closed for it.</summary>
    private ValueTask Wait(SendWaiter? waiter, CancellationToken cancellationToken)
    {
        if (waiter is null)
        {
            _owner.OnSendQueueFull();
            return ValueTask.FromException(new ConnectionClosedException(EndReason.SendQueueFull, CloseCode.PolicyViolation));
        }
        var task = waiter.Task;
        waiter.CancelBy(cancellationToken);
        return task;
    }

    private CloseCode Code => IsClosed ? ClosedWith : CloseCode.AbnormalClosure;

    private void WriteClose(CloseCode code, string? reason)
    {
        Span<byte> payload = stackalloc byte[125];
        int length = CloseFrame.Write(payload, code, reason);
        ClosedWith = length == 0 ? CloseCode.NoStatusReceived : code;
        WriteControl(Opcode.Close, payload[..length]);
        IsClosed = true;
        FailWaiters();
    }

    private void WriteControl(Opcode opcode, ReadOnlySpan<byte> payload)
    {
        if (_flushing) Behind.QueuedControl += FrameWriter.Write(Behind.Queue, opcode, payload, maskKey: NextMask());
        else
        {
            int length = FrameWriter.Write(_output, opcode, payload, maskKey: NextMask());
            _unflushed += length;
            _control += length;
            FlushUnlessCorked();
        }
    }

    private Backlog Behind => _backlog ??= new Backlog(_settings.Pool, OnFlushed);

    private void Write(Opcode opcode, in ReadOnlySequence<byte> payload)
    {
        if (EngineMetrics.MessagesSent.Enabled) EngineMetrics.MessagesSent.Add(1);
        if (_deflater is not null && payload.Length >= _deflater.Threshold)
        {
            var compressed = new PooledByteBuffer(_settings.Pool);
            if (_deflater.TryCompress(payload, compressed))
            {
                WriteData(opcode, new ReadOnlySequence<byte>(compressed.WrittenMemory), compressed: true, fin: true);
                compressed.Clear();
                return;
            }
            compressed.Clear();
        }
        WriteData(opcode, payload, compressed: false, fin: true);
    }

    private void WriteData(Opcode opcode, in ReadOnlySequence<byte> payload, bool compressed, bool fin)
    {
        if (_flushing)
        {
            FrameWriter.Write(Behind.Queue, opcode, payload, compressed, NextMask(), fin);
            return;
        }
        if (payload.Length < _settings.DirectFrom || _settings.Role == EndpointRole.Client)
        {
            _unflushed += FrameWriter.Write(_output, opcode, payload, compressed, NextMask(), fin);
            FlushUnlessCorked();
            return;
        }
        // Large and unmasked: the transport sends it from where it lies, behind the header.
        int header = FrameWriter.WriteHeader(_output.GetSpan(FrameHeader.MaxLength), opcode, payload.Length, fin, compressed);
        _output.Advance(header);
        _unflushed += header;
        foreach (var piece in payload)
        {
            if (_flushing)
            {
                Behind.Queue.Write(piece.Span);
                continue;
            }
            _unflushed += piece.Length;
            Await(_output.WriteAsync(piece));
        }
    }

    private uint? NextMask() => _settings.Role == EndpointRole.Client ? MaskKeys.Next() : null;

    private void FlushUnlessCorked()
    {
        if (!_inTurn || _unflushed >= CorkLimit) Flush();
    }

    private void Flush() => Await(_output.FlushAsync());

    private void Await(ValueTask<FlushResult> flush)
    {
        if (flush.IsCompletedSuccessfully)
        {
            Flushed(flush.Result);
            return;
        }
        _flushing = true;
        Behind.Await(flush);
    }

    private void OnFlushed()
    {
        lock (_gate)
        {
            bool broken = Behind.Flushed();
            _flushing = false;
            Flushed(new FlushResult(isCanceled: false, broken));
            if (_broken) FailWaiters();
            else Resume();
            if (_flushing) return;
            Behind.Drained?.SetResult();
            Behind.Drained = null;
        }
    }

    private void Flushed(FlushResult result)
    {
        if (EngineMetrics.BytesSent.Enabled) EngineMetrics.BytesSent.Add(_unflushed);
        _unflushed = _control = 0;
        _broken |= result.IsCompleted;
    }

    /// <summary>The transport has taken everything: gives it the pong that waited, the queue, and the messages that waited for room.</summary>
    private void Resume()
    {
        // The queue first: it may begin in the middle of a large frame.
        var behind = Behind;
        if (behind.QueueLength > 0) MoveToOutput(behind.Queue, behind.QueuedControl);
        behind.QueuedControl = 0;
        if (behind.PongLength > 0 && !IsClosed) MoveToOutput(behind.Pong, behind.PongLength);
        while (behind.Next is { } waiter && !_broken)
        {
            long queued = QueuedData;
            if (queued > 0 && queued + waiter.Payload.Length > _settings.Limits.SendQueueBytes)
            {
                if (_flushing || _inTurn) break; // the flush, or the turn's end, comes back here
                Flush();
                continue;
            }
            behind.Remove(waiter);
            if (waiter.Message is { } message) WritePiece(message, waiter.Payload, waiter.IsLast);
            else Write(waiter.Opcode, waiter.Payload);
            waiter.Complete(null);
        }
        if (_unflushed > 0 && !_flushing && !_inTurn) Flush();
        if (_broken) FailWaiters();
    }

    private void MoveToOutput(PooledByteBuffer frames, int control)
    {
        _output.Write(frames.WrittenSpan);
        _unflushed += frames.Length;
        _control += control;
        frames.Clear();
    }

    private void FailWaiters()
    {
        while (_backlog?.FirstWaiter is { } waiter)
        {
            _backlog.Remove(waiter);
            waiter.Complete(new ConnectionClosedException(_owner.EndReason, Code));
        }
    }
}
