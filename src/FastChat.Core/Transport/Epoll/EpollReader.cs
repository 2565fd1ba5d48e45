using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace FastChat.Transport.Epoll;

/// <summary>
/// The receiving side. A receive goes into the loop's one shared buffer, which the consumer reads in place; only what it leaves there is
/// copied (or, when it is much, the buffer changes hands), so a connection without a half-read message holds no memory. What a consumer
/// works on while it waits for something stays in the buffer, and the loop receives behind it.
/// </summary>
internal sealed unsafe class EpollReader(EpollConnection connection) : PipeReader, IValueTaskSource<ReadResult>, IReadSignal
{
    /// <summary>A rest from this size on takes the shared buffer along instead of being copied out of it.</summary>
    private const int TakeOverFrom = EpollLoop.ReceiveSize / 8;
    private const int SmallestBlock = 4096;
    private const int IndexMask = int.MaxValue; // a sequence over an array marks its end in the sign bit of the position

    private LoopCompletion _completion;
    private Cancellation? _cancellation;
    private byte[]? _array; // the newest block
    private ReceiveSlab? _slab; // whose piece that is; else it is all ours, or the loop's
    private int _start;
    private int _end;
    private ReceiveSegment? _first; // where there are more blocks than one: all of them
    private ReceiveSegment? _last;
    private int _start0; // the first unread byte of the first of them
    private int _waiting; // 1 while a read is pending; whoever takes it to 0 completes the read
    private volatile bool _cancelRequested;
    private bool _borrowed; // the newest block is the loop's shared buffer
    private bool _examinedAll = true;
    private bool _ended;
    private bool _completed;
    private bool _wasCanceled; // the read that completed last
    private int _error;

    /// <summary>Whether a read completes on the loop's thread; else on the thread pool.</summary>
    public bool Inline { get; set; } = true;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<ReadResult>(cancellationToken);
        if (TryRead(out var result)) return new ValueTask<ReadResult>(result);
        if (_error != 0) return ValueTask.FromException<ReadResult>(Failure(_error));
        _completion.Reset();
        _wasCanceled = false;
        short version = _completion.Version;
        if (cancellationToken.CanBeCanceled) (_cancellation = new Cancellation(cancellationToken)).Register(static reader => ((EpollReader)reader!).CancelByToken(), this);
        Wait();
        if (cancellationToken.IsCancellationRequested) CancelByToken();
        return new ValueTask<ReadResult>(this, version);
    }

    bool IReadSignal.TryRead(Action<object?> continuation, object state, out ReadResult result)
    {
        if (TryRead(out result)) return true;
        if (_error != 0) throw Failure(_error);
        _completion.Reset();
        _wasCanceled = false;
        _completion.OnCompleted(continuation, state, ValueTaskSourceOnCompletedFlags.None);
        Wait();
        return false;
    }

    public override bool TryRead(out ReadResult result)
    {
        if (_completed) throw new InvalidOperationException("Reading is completed.");
        bool canceled = _cancelRequested;
        if (canceled || _ended || (!_examinedAll && _array is not null))
        {
            _cancelRequested = false;
            result = new ReadResult(Buffered(), canceled, _ended);
            return true;
        }
        result = default;
        return false;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        // Off the loop, the loop may at this moment be taking back its shared buffer (see Settle).
        if (!Volatile.Read(ref _borrowed) || connection.Loop.IsCurrentThread) Advance(consumed, examined, onLoop: true);
        else lock (this) Advance(consumed, examined, onLoop: false);
    }

    public override void CancelPendingRead()
    {
        _cancelRequested = true;
        if (Interlocked.Exchange(ref _waiting, 0) == 0) return;
        _cancelRequested = false;
        _wasCanceled = true;
        _completion.Complete(Inline);
    }

    public override void Complete(Exception? exception = null)
    {
        if (_completed) return;
        _completed = true;
        if (Volatile.Read(ref _borrowed) && !connection.Loop.IsCurrentThread)
        {
            lock (this) ReleaseBlocks();
        }
        else ReleaseBlocks();
    }

    /// <summary>Receives once, if somebody waits for it, and runs the reader's continuation. Loop thread only.</summary>
    public void Receive()
    {
        if (Volatile.Read(ref _waiting) == 0 || Interlocked.Exchange(ref _waiting, 0) == 0) return;
        nint received, asked;
        int error = 0;
        while ((received = ReceiveOnce(out asked)) < 0 && (error = Libc.Errno) == Libc.Eintr) { }
        if (received < 0 && error == Libc.Eagain)
        {
            connection.NothingLeft();
            Interlocked.Exchange(ref _waiting, 1);
            if (_cancelRequested) CancelPendingRead();
            else if (_cancellation is { Token.IsCancellationRequested: true }) CancelByToken();
            return;
        }
        if (received < asked) connection.Drained();
        if (received < 0) _error = error;
        if (received == 0) _ended = true;
        if (received > 0) _examinedAll = false;
        if (!Inline && _borrowed) Keep();
        _completion.Complete(Inline);
        if (_borrowed) Settle();
    }

    /// <summary>The descriptor is closed: ends the pending read. Loop thread, or any once the loop has ended.</summary>
    public void OnClosed()
    {
        if (_error == 0 && !_ended) _error = Libc.Econnaborted;
        if (Volatile.Read(ref _waiting) != 0 && Interlocked.Exchange(ref _waiting, 0) != 0) _completion.Complete(Inline);
    }

    /// <summary>Returns the buffers: nobody reads any more.</summary>
    public void Release()
    {
        _completed = true;
        ReleaseBlocks();
    }

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token)
    {
        _completion.Check(token);
        if (_cancellation is { } cancellation)
        {
            _cancellation = null;
            cancellation.Unregister();
            if (_wasCanceled && cancellation.Happened) throw new OperationCanceledException(cancellation.Token);
        }
        if (_error != 0 && !_wasCanceled) throw Failure(_error);
        return new ReadResult(Buffered(), _wasCanceled, _ended);
    }

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token)
    {
        _completion.Check(token);
        if (!_completion.IsCompleted) return ValueTaskSourceStatus.Pending;
        return _wasCanceled && _cancellation is { Happened: true } ? ValueTaskSourceStatus.Canceled
            : _error != 0 && !_wasCanceled ? ValueTaskSourceStatus.Faulted : ValueTaskSourceStatus.Succeeded;
    }

    void IValueTaskSource<ReadResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        _completion.Check(token);
        _completion.OnCompleted(continuation, state, flags);
    }

    /// <summary>From here on a read is pending, and the loop knows it.</summary>
    private void Wait()
    {
        // A full fence: either we see the request to cancel, or whoever makes it sees that we wait.
        Interlocked.Exchange(ref _waiting, 1);
        if (_cancelRequested) CancelPendingRead();
        else if (!connection.Loop.IsCurrentThread) connection.AskRead();
        else if (connection.IsClosed) OnClosed();
        else if (connection.Readable) connection.RunAgain();
    }

    private void CancelByToken()
    {
        if (Interlocked.Exchange(ref _waiting, 0) == 0) return;
        _cancellation!.Happened = true;
        _wasCanceled = true;
        _completion.Complete(Inline);
    }

    private nint ReceiveOnce(out nint asked)
    {
        byte[] shared = connection.Loop.Shared;
        int at = connection.Loop.SharedStart;
        nint received;
        fixed (byte* into = shared)
        {
            if (_array is null)
            {
                asked = shared.Length - at;
                received = Libc.Receive(connection.Descriptor, into + at, (nuint)asked);
                if (received <= 0) return received;
                _array = shared;
                _start = at;
                _end = at + (int)received;
                _borrowed = true;
                return received;
            }
            fixed (byte* kept = _array)
            {
                // What is kept has room behind it, unless it is a piece; one call fills that and goes on in the shared buffer.
                int room = _slab is null ? _array.Length - _end : 0;
                var vectors = stackalloc Libc.IoVector[2];
                vectors[0] = new Libc.IoVector { Base = kept + _end, Length = (nuint)room };
                vectors[1] = new Libc.IoVector { Base = into + at, Length = (nuint)(shared.Length - at) };
                asked = room + shared.Length - at;
                received = Libc.Receive(connection.Descriptor, vectors, 2);
                if (received > 0) Append(shared, at, (int)Math.Min(received, room), (int)(received - Math.Min(received, room)));
                return received;
            }
        }
    }

    private void Append(byte[] shared, int at, int kept, int spilled)
    {
        _end += kept;
        _last?.Fill(_end);
        if (spilled == 0) return;
        _first ??= _last = ReceiveSegment.Rent(_array!, _start, _end, 0);
        (_last!.Slab, _slab) = (_slab, null);
        _last = _last.Append(ReceiveSegment.Rent(shared, at, at + spilled, _last.RunningIndex + _last.Memory.Length));
        _array = shared;
        _start = at;
        _end = at + spilled;
        _borrowed = true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ReadOnlySequence<byte> Buffered() =>
        _array is null ? ReadOnlySequence<byte>.Empty
        : _first is null ? new ReadOnlySequence<byte>(_array, _start, _end - _start)
        : new ReadOnlySequence<byte>(_first, _start0, _last!, _last!.Memory.Length);

    private void Advance(SequencePosition consumed, SequencePosition examined, bool onLoop)
    {
        if (_array is null) return;
        if (_first is not null)
        {
            AdvanceSegments(consumed, examined);
            if (_first is not null || _array is null)
            {
                if (_borrowed && onLoop) Keep();
                else if (_slab is not null && _end - _start < TakeOverFrom) MoveOut();
                return;
            }
        }
        else
        {
            int to = consumed.GetInteger() & IndexMask, seen = examined.GetInteger() & IndexMask;
            if (to < _start || to > seen || seen > _end) throw new ArgumentOutOfRangeException(nameof(consumed));
            _start = to;
            _examinedAll = seen == _end;
        }
        if (_start == _end) ReleaseBlocks();
        else if (_borrowed && onLoop) Keep();
        else if (_slab is not null) MoveOut();
    }

    private void AdvanceSegments(SequencePosition consumed, SequencePosition examined)
    {
        var to = (ReceiveSegment)consumed.GetObject()!;
        int index = consumed.GetInteger() & IndexMask;
        _examinedAll = ReferenceEquals(examined.GetObject(), _last) && (examined.GetInteger() & IndexMask) == _last!.Memory.Length;
        // The end of one segment is the start of the next.
        while (index == to.Memory.Length && to.Next is ReceiveSegment next) (to, index) = (next, 0);
        while (!ReferenceEquals(_first, to)) _first = DropFirst();
        _start0 = index;
        if (!ReferenceEquals(_first, _last)) return;
        _start = _first!.Offset + index; // one block left: back to the simple form
        _first.Free();
        _first = _last = null;
        _start0 = 0;
    }

    private ReceiveSegment? DropFirst()
    {
        var first = _first!;
        var next = (ReceiveSegment?)first.Next;
        if (first.Slab is { } slab) slab.Release();
        else connection.Loop.Options.Pool.Return(first.Array);
        first.Free();
        return next;
    }

    /// <summary>Moves what is left out of the shared buffer, or takes the buffer over. Loop thread only.</summary>
    private void Keep()
    {
        _borrowed = false;
        // Behind other blocks the whole buffer, so that the next ones are few; but where others hold pieces there is no room behind ours.
        if (_end - _start >= TakeOverFrom || (_first is not null && connection.Loop.IsSharedFree)) _slab = connection.Loop.GiveUntil(_end);
        else MoveOut();
    }

    /// <summary>Copies what is left in the newest block into one of our own, with room behind it.</summary>
    private void MoveOut()
    {
        int length = _end - _start;
        byte[] own = connection.Loop.Options.Pool.Rent(Math.Max(SmallestBlock, length * 2));
        _array.AsSpan(_start, length).CopyTo(own);
        _array = own;
        _start = 0;
        _end = length;
        _last?.Move(own, length);
        _slab?.Release();
        _slab = null;
    }

    /// <summary>The consumer has gone off with what is in the shared buffer (its handler waits for something): leave it there.</summary>
    private void Settle()
    {
        lock (this)
        {
            if (!_borrowed) return;
            _slab = _end - _start >= TakeOverFrom ? connection.Loop.GiveUntil(_end) : connection.Loop.ShareUntil(_end);
            Volatile.Write(ref _borrowed, false); // last: off the loop it says whether the rest may be looked at
        }
    }

    private void ReleaseBlocks()
    {
        while (_first is not null && !ReferenceEquals(_first, _last)) _first = DropFirst();
        _first?.Free();
        _first = _last = null;
        _start0 = 0;
        if (_slab is not null) _slab.Release();
        else if (_array is not null && !_borrowed) connection.Loop.Options.Pool.Return(_array);
        _array = null;
        _slab = null;
        _borrowed = false;
        _start = _end = 0;
        _examinedAll = true;
    }

    private static IOException Failure(int error) =>
        new(error == Libc.Econnreset ? "The peer reset the connection." : error == Libc.Econnaborted ? "The connection was aborted." : $"Receiving failed with error {error}.");
}
