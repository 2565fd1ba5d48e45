using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;

namespace FastChat.Transport.Epoll;

/// <summary>
/// The sending side. What is written gathers in rented blocks and goes out in one call at the flush: at once where the flush comes from
/// the connection's own turn on the loop, at the end of the loop's turn where it comes from elsewhere. Without unsent bytes it holds none.
/// </summary>
internal sealed unsafe class EpollWriter(EpollConnection connection) : PipeWriter, IValueTaskSource<FlushResult>
{
    private const int BlockSize = 16 * 1024;
    /// <summary>The first block of what another thread writes: it waits for the loop, and a thousand connections may wait at a time.</summary>
    private const int SmallBlockSize = 256;
    /// <summary>From this size on a payload is sent from where it lies; below, copying it is cheaper than a call of its own.</summary>
    private const int DirectFrom = 8 * 1024;
    private const int MaxVectors = 64;

    private readonly record struct Block(byte[] Array, int Length);

    /// <summary>Whose the buffers are: the writing thread's while idle or waiting, the loop's while it sends.</summary>
    private enum Flushing
    {
        Idle,
        Waiting,
        /// <summary>The loop is sending for the flush that waits. Cancelling must wait for it, or the writer would write into what is being sent.</summary>
        Sending,
        Canceled,
        TokenCanceled,
    }

    private LoopCompletion _completion;
    private Cancellation? _cancellation;
    private byte[]? _block; // the one being written
    private int _written;
    private Queue<Block>? _full; // older ones
    private int _sent; // bytes of the oldest block already sent
    private long _unsent;
    private Flushing _flushing;
    private bool _deferred; // to be sent at the end of the turn
    private bool _wasCanceled; // the flush that completed last
    private bool _broken;
    private bool _completed;

    /// <summary>The kernel takes no more: the rest goes out when it says so. Loop thread only.</summary>
    public bool Blocked { get; private set; }

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _unsent;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _block.AsMemory(_written);
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _block.AsSpan(_written);
    }

    public override void Advance(int bytes)
    {
        if (_block is null || (uint)bytes > (uint)(_block.Length - _written)) throw new ArgumentOutOfRangeException(nameof(bytes));
        _written += bytes;
        _unsent += bytes;
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (_broken || connection.IsClosed) return new ValueTask<FlushResult>(new FlushResult(isCanceled: false, isCompleted: true));
        if (_unsent == 0) return default;
        if (connection.Loop.IsCurrentThread && ReferenceEquals(connection.Loop.Current, connection) && !Blocked)
        {
            Send(null, 0);
            if (_unsent == 0 || _broken) return new ValueTask<FlushResult>(new FlushResult(isCanceled: false, _broken));
        }
        return Wait(cancellationToken);
    }

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        bool direct = source.Length >= DirectFrom && connection.Loop.IsCurrentThread && ReferenceEquals(connection.Loop.Current, connection);
        if (!direct || Blocked || _broken || connection.IsClosed)
        {
            this.Write(source.Span);
            return FlushAsync(cancellationToken);
        }
        fixed (byte* payload = source.Span)
        {
            int left = Send(payload, source.Length);
            if (_broken) return new ValueTask<FlushResult>(new FlushResult(isCanceled: false, isCompleted: true));
            if (left > 0) this.Write(source.Span[^left..]);
        }
        return _unsent == 0 ? default : Wait(cancellationToken);
    }

    public override void CancelPendingFlush()
    {
        if (TakeOrAsk(Flushing.Canceled)) End(Flushing.Canceled);
    }

    public override void Complete(Exception? exception = null) => _completed = true;

    /// <summary>Sends what a flush outside the connection's turn has left to the end of the loop's turn. Loop thread only.</summary>
    public void SendDeferred()
    {
        if (_deferred) Continue();
    }

    /// <summary>Sends on: the kernel has room again, or another thread has flushed. Loop thread only.</summary>
    public void Continue()
    {
        _deferred = false;
        if (Interlocked.CompareExchange(ref _flushing, Flushing.Sending, Flushing.Waiting) != Flushing.Waiting)
        {
            Blocked = false; // the event is used up: the next flush has to try for itself
            return;
        }
        Send(null, 0);
        if (_unsent > 0 && !_broken && Interlocked.CompareExchange(ref _flushing, Flushing.Waiting, Flushing.Sending) == Flushing.Sending) return;
        End(Interlocked.Exchange(ref _flushing, Flushing.Idle));
    }

    /// <summary>The descriptor is closed: ends the pending flush.</summary>
    public void OnClosed()
    {
        _broken = true;
        if (Interlocked.Exchange(ref _flushing, Flushing.Idle) is var before and not Flushing.Idle) End(before);
    }

    /// <summary>Returns the buffers: nobody writes any more.</summary>
    public void Release()
    {
        if (_full is not null)
        {
            foreach (var block in _full) connection.Loop.Options.Pool.Return(block.Array);
            _full = null;
        }
        if (_block is not null) connection.Loop.Options.Pool.Return(_block);
        _block = null;
        _written = _sent = 0;
        _unsent = 0;
    }

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token)
    {
        _completion.Check(token);
        if (_cancellation is { } cancellation)
        {
            _cancellation = null;
            cancellation.Unregister();
            if (cancellation.Happened) throw new OperationCanceledException(cancellation.Token);
        }
        return new FlushResult(_wasCanceled, _broken);
    }

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token)
    {
        _completion.Check(token);
        return !_completion.IsCompleted ? ValueTaskSourceStatus.Pending
            : _cancellation is { Happened: true } ? ValueTaskSourceStatus.Canceled : ValueTaskSourceStatus.Succeeded;
    }

    void IValueTaskSource<FlushResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        _completion.Check(token);
        _completion.OnCompleted(continuation, state, flags);
    }

    private ValueTask<FlushResult> Wait(CancellationToken cancellationToken)
    {
        _completion.Reset();
        _wasCanceled = false;
        short version = _completion.Version;
        if (cancellationToken.CanBeCanceled) (_cancellation = new Cancellation(cancellationToken)).Register(static writer => ((EpollWriter)writer!).CancelByToken(), this);
        Interlocked.Exchange(ref _flushing, Flushing.Waiting);
        if (cancellationToken.IsCancellationRequested) CancelByToken();
        else if (!connection.Loop.IsCurrentThread) connection.AskFlush();
        else if (connection.IsClosed) OnClosed();
        else if (!Blocked)
        {
            _deferred = true;
            connection.RunAgain();
        }
        return new ValueTask<FlushResult>(this, version);
    }

    private void CancelByToken()
    {
        if (TakeOrAsk(Flushing.TokenCanceled)) End(Flushing.TokenCanceled);
    }

    /// <summary>Takes the flush that waits; where the loop is just sending for it, leaves it to the loop to end it so.</summary>
    private bool TakeOrAsk(Flushing how)
    {
        while (true)
        {
            var before = Interlocked.CompareExchange(ref _flushing, Flushing.Idle, Flushing.Waiting);
            if (before == Flushing.Waiting) return true;
            if (before != Flushing.Sending) return false;
            if (Interlocked.CompareExchange(ref _flushing, how, Flushing.Sending) == Flushing.Sending) return false;
        }
    }

    private void End(Flushing how)
    {
        if (how == Flushing.Canceled) _wasCanceled = true;
        if (how == Flushing.TokenCanceled) _cancellation!.Happened = true;
        _completion.Complete(inline: true);
    }

    private void Reserve(int sizeHint)
    {
        if (_completed) throw new InvalidOperationException("Writing is completed.");
        int wanted = Math.Max(sizeHint, 1);
        if (_block is not null && _block.Length - _written >= wanted) return;
        if (_block is not null && _written > 0) (_full ??= new Queue<Block>()).Enqueue(new Block(_block, _written));
        else if (_block is not null) connection.Loop.Options.Pool.Return(_block);
        _block = connection.Loop.Options.Pool.Rent(Math.Max(wanted, _unsent > 0 || connection.Loop.IsCurrentThread ? BlockSize : SmallBlockSize));
        _written = 0;
    }

    /// <summary>Sends the blocks, and behind them a payload, until all is out or the kernel takes no more.</summary>
    /// <returns>How many bytes of the payload are left.</returns>
    private int Send(byte* payload, int length)
    {
        Blocked = false;
        while (_unsent + length > 0)
        {
            nint asked, sent;
            if (_full is null or { Count: 0 } && length == 0)
            {
                asked = _written - _sent;
                fixed (byte* block = _block) sent = Libc.Send(connection.Descriptor, block + _sent, (nuint)asked);
            }
            else sent = SendVectors(payload, length, out asked);
            if (sent < 0)
            {
                int error = Libc.Errno;
                if (error == Libc.Eintr) continue;
                Blocked = error is Libc.Eagain or Libc.Enobufs or Libc.Enomem;
                _broken = !Blocked;
                if (error is Libc.Enobufs or Libc.Enomem)
                {
                    _deferred = true; // no event will tell when memory is back
                    connection.RunAgain();
                }
                break;
            }
            long ofBlocks = Math.Min(sent, _unsent);
            Consume(ofBlocks);
            payload += sent - ofBlocks;
            length -= (int)(sent - ofBlocks);
            // A short send means a full buffer: the kernel has noted that we wait, and will say when there is room.
        }
        if (_unsent == 0 && _block is not null)
        {
            connection.Loop.Options.Pool.Return(_block);
            _block = null;
            _written = _sent = 0;
        }
        return length;
    }

    private nint SendVectors(byte* payload, int length, out nint asked)
    {
        int count = 0;
        asked = length;
        var vectors = stackalloc Libc.IoVector[MaxVectors];
        var pins = stackalloc GCHandle[MaxVectors];
        int pinned = 0;
        try
        {
            if (_full is not null)
            {
                foreach (var block in _full)
                {
                    if (count == MaxVectors - 2) break;
                    Add(block.Array, count == 0 ? _sent : 0, block.Length);
                }
            }
            bool all = _full is null || _full.Count == count;
            if (all && _written > 0) Add(_block!, count == 0 ? _sent : 0, _written);
            if (all && length > 0) vectors[count++] = new Libc.IoVector { Base = payload, Length = (nuint)length };
            return Libc.Send(connection.Descriptor, vectors, count);
        }
        finally
        {
            for (int i = 0; i < pinned; i++) pins[i].Free();
        }

        void Add(byte[] array, int from, int to)
        {
            pins[pinned] = GCHandle.Alloc(array, GCHandleType.Pinned);
            vectors[count++] = new Libc.IoVector { Base = (byte*)Unsafe.AsPointer(ref array[from]), Length = (nuint)(to - from) };
            pinned++;
        }
    }

    private void Consume(long bytes)
    {
        _unsent -= bytes;
        while (bytes > 0 && _full is { Count: > 0 })
        {
            var oldest = _full.Peek();
            int left = oldest.Length - _sent;
            if (bytes < left)
            {
                _sent += (int)bytes;
                return;
            }
            bytes -= left;
            _sent = 0;
            connection.Loop.Options.Pool.Return(_full.Dequeue().Array);
        }
        _sent += (int)bytes;
    }
}
