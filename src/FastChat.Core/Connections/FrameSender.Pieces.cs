using System.Buffers;
using FastChat.Buffers;
using FastChat.Diagnostics;
using FastChat.Protocol;

namespace FastChat.Connections;

/// <content>What is not a message of one connection in one frame: messages in pieces, and frames that go to many connections.</content>
internal sealed partial class FrameSender
{
    /// <summary>What became of a frame offered to this connection among others.</summary>
    public enum Offered
    {
        Taken,
        /// <summary>Not now, since others wait before it, but there is room for it in the end.</summary>
        Later,
        /// <summary>The connection is closed, or its queue is full and the policy has been applied.</summary>
        Refused,
    }

    /// <summary>Sends a piece of a message. From the first to the last of them other messages wait.</summary>
    /// <returns>Completes once the piece is in the queue or the transport; where that has no room it waits, before everybody else.</returns>
    public ValueTask SendAsync(MessageStream message, in ReadOnlySequence<byte> piece, bool last, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        SendWaiter? waiter = null;
        lock (_gate)
        {
            if (IsClosed || _broken) return ValueTask.FromException(new ConnectionClosedException(_owner.EndReason, Code));
            bool begun = ReferenceEquals(Behind.Open, message);
            bool ahead = begun || !IsHeldUp;
            if (ahead && HasRoom(piece.Length))
            {
                WritePiece(message, piece, last);
                if (last && HasWaiters && !_flushing && !_inTurn) Resume();
                return default;
            }
            if (ahead && _settings.Limits.SendQueuePolicy == SendQueuePolicy.Close) WriteClose(CloseCode.PolicyViolation, "send queue full");
            else Behind.Add(waiter = SendWaiter.Rent(this, (Opcode)message.Kind, piece, message, last), first: begun);
        }
        return Wait(waiter, cancellationToken);
    }

    /// <summary>Sends a frame that goes to many, if that is possible without waiting.</summary>
    public Offered Offer(BroadcastFrame frame)
    {
        lock (_gate)
        {
            if (IsClosed || _broken) return Offered.Refused;
            long length = frame.Payload.Length;
            if (!IsHeldUp && HasRoom(length))
            {
                if (_settings.Role == EndpointRole.Client) Write(frame.Opcode, frame.Payload); // each frame of a client has a mask of its own
                else WriteWhole(frame.For(_deflater));
                return Offered.Taken;
            }
            if (MayWait(length)) return Offered.Later;
            if (_settings.Limits.SendQueuePolicy != SendQueuePolicy.Close)
            {
                if (_settings.Limits.SendQueuePolicy == SendQueuePolicy.DropNewest) CountDropped();
                return Offered.Refused;
            }
            WriteClose(CloseCode.PolicyViolation, "send queue full");
        }
        _owner.OnSendQueueFull();
        return Offered.Refused;
    }

    private void WritePiece(MessageStream message, in ReadOnlySequence<byte> piece, bool last)
    {
        bool first = Behind.Open is null;
        if (first)
        {
            if (EngineMetrics.MessagesSent.Enabled) EngineMetrics.MessagesSent.Add(1);
            message.IsCompressed = _deflater is not null && !piece.IsEmpty && piece.Length >= _deflater.Threshold;
        }
        var opcode = first ? (Opcode)message.Kind : Opcode.Continuation;
        if (!message.IsCompressed) WriteData(opcode, piece, compressed: false, last);
        else
        {
            using var compressed = new PooledByteBuffer(_settings.Pool);
            _deflater!.Append(piece, last, compressed);
            WriteData(opcode, new ReadOnlySequence<byte>(compressed.WrittenMemory), compressed: first, last); // RSV1 on the first alone (RFC 7692 section 6.1)
        }
        Behind.Open = last ? null : message;
    }

    private void WriteWhole(ReadOnlyMemory<byte> frame)
    {
        if (EngineMetrics.MessagesSent.Enabled) EngineMetrics.MessagesSent.Add(1);
        if (_flushing)
        {
            Behind.Queue.Write(frame.Span);
            return;
        }
        _unflushed += frame.Length;
        if (frame.Length >= _settings.DirectFrom)
        {
            Await(_output.WriteAsync(frame));
            return;
        }
        _output.Write(frame.Span);
        FlushUnlessCorked();
    }
}
