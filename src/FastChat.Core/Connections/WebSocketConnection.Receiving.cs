using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using FastChat.Diagnostics;
using FastChat.Protocol;
using FastChat.Transport;

namespace FastChat.Connections;

/// <content>The receive loop: it runs wherever the transport calls it, one turn at a time, and returns wherever there is something to wait for.</content>
public sealed partial class WebSocketConnection
{
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
        _reader?.Release();
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
        _reader?.Release();
        if (_turnBegun) _transport.Input.AdvanceTo(rest.End); // what follows is of no interest any more
        _ = EndAsync(polite: true);
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
        if (_reader is null or { IsIdle: true } && buffer.IsSingleSegment && MemoryMarshal.TryGetArray(buffer.First, out var segment))
        {
            int taken = 0;
            while (taken < segment.Count)
            {
                var found = WholeFrame.Read(segment.AsSpan(taken), _settings.Role, _settings.MaxWholeFrame, out var opcode, out int start, out int length);
                if (found == ReadEvent.NeedMore) break;
                var payload = new ReadOnlySequence<byte>(segment.Array!, segment.Offset + taken + start, length);
                taken += start + length;
                if (Dispatch(found, opcode, payload, out handling) is var step and not Step.NeedMore)
                {
                    buffer = buffer.Slice(taken);
                    return step;
                }
            }
            if (taken > 0) buffer = buffer.Slice(taken);
            if (buffer.IsEmpty) return Step.NeedMore;
        }
        _reader ??= new MessageReader(_settings.Role, _settings.Limits.MaxFrameBytes, _settings.Limits.MaxMessageBytes, _settings.Pool, _agreement?.Inflater);
        while (true)
        {
            var found = _reader.Read(ref buffer, out var payload);
            if (found == ReadEvent.NeedMore) return Step.NeedMore;
            if (Dispatch(found, _reader.MessageOpcode, payload, out handling) is var step and not Step.NeedMore) return step;
        }
    }

    private Step Dispatch(ReadEvent found, Opcode opcode, in ReadOnlySequence<byte> payload, out ValueTask handling)
    {
        handling = default;
        switch (found)
        {
            case ReadEvent.Message:
                if (_sender.IsClosed) return Step.NeedMore; // after our close frame the peer's data is of no interest (RFC 6455 section 1.4)
                if (EngineMetrics.MessagesReceived.Enabled) EngineMetrics.MessagesReceived.Add(1);
                _inHandler = true;
                handling = _handler.OnMessageAsync(this, new WebSocketMessage((WebSocketMessageKind)opcode, payload));
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
                Fail(_reader?.Error is { } error and not FrameError.None ? error : FrameError.TextInvalid); // a whole frame knows but one error
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
}
