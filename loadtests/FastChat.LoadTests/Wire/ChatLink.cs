using System.Buffers;
using System.Text;
using System.Text.Json;
using FastChat.Connections;
using FastChat.LoadTests.Load;

namespace FastChat.LoadTests.Wire;

/// <summary>One tab: a socket on a session, which asks, follows answers, and can be cut.</summary>
internal sealed class ChatLink : WebSocketHandler, IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<AnswerTrack> _tracks = [];
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Measurements _measurements;
    private readonly TimeProvider _time;
    private readonly Func<int, ValueTask>? _pause;
    private TaskCompletionSource? _probe;
    private AnswerTrack? _resuming;
    private WebSocketConnection? _connection;
    private volatile bool _isCut;
    private volatile bool _isOver;

    private ChatLink(Measurements measurements, TimeProvider time, Func<int, ValueTask>? pause) => (_measurements, _time, _pause) = (measurements, time, pause);

    /// <summary>Connects and waits until the server has said what session this is.</summary>
    /// <param name="client">Connects.</param>
    /// <param name="uri">The session's address, with a token.</param>
    /// <param name="measurements">Counts sockets and faults.</param>
    /// <param name="time">The clock.</param>
    /// <param name="timeout">For all of it.</param>
    /// <param name="pause">Called with the size of each message before it is taken: a slow reader.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<ChatLink> ConnectAsync(WebSocketClient client, Uri uri, Measurements measurements, TimeProvider time, TimeSpan timeout,
        Func<int, ValueTask>? pause = null, CancellationToken cancellationToken = default)
    {
        var link = new ChatLink(measurements, time, pause);
        link._connection = await client.ConnectAsync(uri, link, cancellationToken).WaitAsync(timeout, time, cancellationToken);
        try
        {
            await link._ready.Task.WaitAsync(timeout, time, cancellationToken);
            return link;
        }
        catch
        {
            await link.CutAsync();
            throw;
        }
    }

    public bool IsOpen => _connection!.IsOpen;

    /// <summary>Why the socket ended, for people.</summary>
    private string Ending => $"The socket was closed: {_connection!.EndReason}, {(int)_connection.CloseCode}{(_connection.CloseReason is { Length: > 0 } reason ? $" {reason}" : "")}.";

    /// <summary>Asks. The answer's end is the track's; nothing of it is missed.</summary>
    public async ValueTask AskAsync(AnswerTrack track)
    {
        Follow(track);
        await SendAsync(track, new MessageOut(track.Question.Text, "text", track.Question.ClientMessageId), WireJson.Default.MessageOut);
    }

    /// <summary>Follows an answer to what another socket of this session asks.</summary>
    public void Follow(AnswerTrack track)
    {
        lock (_gate) _tracks.Add(track);
        if (_isOver) track.Fail(Ending);
    }

    /// <summary>Goes on with an answer that another socket had begun to read.</summary>
    public async ValueTask ResumeAsync(AnswerTrack track)
    {
        if (track.Id is not { } id)
        {
            // Nobody knows whether the question has arrived: asking again is asking once.
            await AskAsync(track);
            return;
        }
        lock (_gate) _resuming = track;
        Follow(track);
        await SendAsync(track, new ResumeOut("resume", id, track.LastSeq), WireJson.Default.ResumeOut);
    }

    /// <summary>Has the server answer something that needs no model: the list of models.</summary>
    public async Task ProbeAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var probe = _probe = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await _connection!.SendTextAsync("""{"type":5,"data":{}}"""u8.ToArray(), cancellationToken);
        await probe.Task.WaitAsync(timeout, _time, cancellationToken);
    }

    /// <summary>Breaks the connection, as a network does: what has arrived but was not taken is lost with it. Nothing is taken after this.</summary>
    public async Task CutAsync()
    {
        _isCut = true;
        _connection!.Abort();
        await _connection.Completion;
    }

    /// <summary>Gives up on an answer.</summary>
    public void Forget(AnswerTrack track)
    {
        lock (_gate) _tracks.Remove(track);
    }

    public async ValueTask DisposeAsync()
    {
        _isCut = true;
        await _connection!.CloseAsync();
        await _connection.DisposeAsync();
    }

    public override ValueTask OnOpenAsync(WebSocketConnection connection)
    {
        _measurements.SocketOpened();
        return default;
    }

    public override ValueTask OnMessageAsync(WebSocketConnection connection, WebSocketMessage message)
    {
        if (_pause is not null) return PauseAsync(message);
        Take(message.Payload);
        return default;
    }

    public override ValueTask OnClosedAsync(WebSocketConnection connection)
    {
        _measurements.SocketClosed();
        _isOver = true;
        if (_isCut) return default;
        AnswerTrack[] tracks;
        lock (_gate) tracks = [.. _tracks];
        // Close frame and end have been seen: the connection knows why.
        string why = $"The socket was closed: {connection.EndReason}, {(int)connection.CloseCode} {connection.CloseReason}".TrimEnd() + ".";
        foreach (var track in tracks) track.Fail(why);
        _ready.TrySetException(new LoadException(why));
        _probe?.TrySetException(new LoadException(why));
        _ = _ready.Task.Exception;
        return default;
    }

    private async ValueTask PauseAsync(WebSocketMessage message)
    {
        await _pause!((int)message.Payload.Length);
        Take(message.Payload);
    }

    private async ValueTask SendAsync<T>(AnswerTrack track, T message, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        try
        {
            await _connection!.SendTextAsync(JsonSerializer.SerializeToUtf8Bytes(message, type));
        }
        catch (ConnectionClosedException) when (!_isCut)
        {
            track.Fail(Ending);
        }
        catch (ConnectionClosedException)
        {
            // Cut while sending: the next socket goes on.
        }
    }

    private void Take(in ReadOnlySequence<byte> payload)
    {
        if (_isCut) return;
        long now = _time.GetTimestamp();
        try
        {
            var frame = ServerFrame.Read(payload.IsSingleSegment ? payload.FirstSpan : payload.ToArray());
            Take(frame, now);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            _measurements.Error($"A message cannot be read: {e.Message}");
        }
    }

    private void Take(in ServerFrame frame, long now)
    {
        switch (frame.Kind)
        {
            case FrameKind.ResponseChunk:
                Find(frame.MessageId)?.Chunk(frame.Seq, frame.Text, now);
                break;
            case FrameKind.MessageReceived:
                FindAsked(frame.ClientMessageId)?.Acknowledged(frame.ResponseId, now);
                break;
            case FrameKind.ResponseStart:
                Find(frame.MessageId, orNext: true);
                break;
            case FrameKind.ResponseComplete when Find(frame.MessageId) is { } track:
                track.Complete(frame.Text, frame.FinishReason, now, isResuming: ReferenceEquals(track, _resuming));
                if (track.Completion.IsCompleted) Forget(track);
                break;
            case FrameKind.SessionInfo:
                _ready.TrySetResult();
                break;
            case FrameKind.Code:
                _probe?.TrySetResult();
                break;
            case FrameKind.Error:
                Refused(frame);
                break;
        }
    }

    private void Refused(in ServerFrame frame)
    {
        string why = $"The server said: {Encoding.UTF8.GetString(frame.Code)}: {Encoding.UTF8.GetString(frame.Text)}";
        if ((Find(frame.MessageId) ?? FindAsked(frame.ClientMessageId)) is { } track)
        {
            track.Fail(why);
            Forget(track);
        }
        else if (!_ready.TrySetException(new LoadException(why))) _measurements.Error(why);
    }

    private AnswerTrack? Find(ReadOnlySpan<byte> id, bool orNext = false)
    {
        if (id.IsEmpty) return null;
        lock (_gate)
        {
            foreach (var track in _tracks)
                if (track.Is(id)) return track;
            // Questions of a session are answered in turn: the first without an answer gets it.
            if (orNext && _tracks.Find(t => t.Id is null) is { } next && next.Is(id, orBecomes: true)) return next;
            return null;
        }
    }

    private AnswerTrack? FindAsked(ReadOnlySpan<byte> clientMessageId)
    {
        if (clientMessageId.IsEmpty) return null;
        string id = Encoding.UTF8.GetString(clientMessageId);
        lock (_gate) return _tracks.Find(t => t.Question.ClientMessageId == id);
    }
}
