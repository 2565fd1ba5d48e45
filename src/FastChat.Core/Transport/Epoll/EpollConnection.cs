using System.IO.Pipelines;
using System.Net;

namespace FastChat.Transport.Epoll;

/// <summary>One accepted socket on an <see cref="EpollLoop"/>.</summary>
/// <remarks>What other threads want is left in <see cref="_work"/> and done by the loop; the descriptor is used and closed there only.</remarks>
internal sealed class EpollConnection : TransportConnection
{
    [Flags]
    private enum Work
    {
        None = 0,
        Register = 1,
        Read = 2,
        Flush = 4,
        Shutdown = 8,
        Abort = 16,
        Dispose = 32,
    }

    private readonly EpollReader _reader;
    private readonly EpollWriter _writer;
    private readonly EpollListener? _listener;
    private readonly PeerAddress _peer;
    private TaskCompletionSource? _disposed;
    private int _work;
    private bool _queued; // on the loop's list of connections to run again
    private bool _hangup; // the peer has ended its side, or the socket is broken: a short read is not the last
    private bool _registered;

    public EpollConnection(EpollLoop loop, int descriptor, EpollListener listener, PeerAddress peer)
    {
        Loop = loop;
        Descriptor = descriptor;
        _listener = listener;
        _peer = peer;
        _reader = new EpollReader(this);
        _writer = new EpollWriter(this);
    }

    private EpollConnection()
    {
        Loop = null!;
        _reader = null!;
        _writer = null!;
    }

    /// <summary>A mark that is no connection.</summary>
    public static EpollConnection Sentinel() => new();

    public EpollLoop Loop { get; }

    public int Descriptor { get; }

    /// <summary>The place in the loop's table.</summary>
    public int Slot { get; set; }

    /// <summary>The next one in the loop's list of scheduled connections.</summary>
    public EpollConnection? Next { get; set; }

    /// <summary>Whether the kernel may have bytes for us. Loop thread only.</summary>
    public bool Readable { get; private set; }

    /// <summary>The descriptor is closed.</summary>
    public bool IsClosed { get; private set; }

    public override PipeReader Input => _reader;

    public override PipeWriter Output => _writer;

    public override EndPoint? LocalEndPoint => _listener?.EndPoint;

    public override EndPoint? RemoteEndPoint => _peer.ToEndPoint();

    public override bool InlineContinuations
    {
        get => _reader.Inline;
        set => _reader.Inline = value;
    }

    /// <summary>Puts the socket under its loop's watch and reports it, on the loop's thread.</summary>
    public void Begin()
    {
        if (Loop.IsCurrentThread) Register();
        else Ask(Work.Register);
    }

    public void AskRead() => Ask(Work.Read);

    public void AskFlush() => Ask(Work.Flush);

    /// <summary>Comes back in this turn or the next. Loop thread only.</summary>
    public void RunAgain()
    {
        if (_queued) return;
        _queued = true;
        Loop.RunAgain(this);
    }

    /// <summary>A receive took less than it asked for: there is no more, but for the end of a stream that has been announced.</summary>
    public void Drained()
    {
        if (!_hangup) Readable = false;
    }

    /// <summary>The kernel said that there is nothing.</summary>
    public void NothingLeft() => Readable = _hangup = false;

    public void OnEvent(uint what)
    {
        if ((what & Libc.EpollOut) != 0 && _writer.Blocked) _writer.Continue();
        if ((what & (Libc.EpollIn | Libc.EpollRdHup | Libc.EpollHup | Libc.EpollErr)) == 0 || IsClosed) return;
        Readable = true;
        if ((what & (Libc.EpollRdHup | Libc.EpollHup | Libc.EpollErr)) != 0) _hangup = true;
        _reader.Receive();
    }

    public void OnReady()
    {
        _queued = false;
        if (IsClosed) return;
        _writer.SendDeferred();
        if (Readable && !IsClosed) _reader.Receive();
    }

    public void OnScheduled()
    {
        var work = (Work)Interlocked.Exchange(ref _work, 0);
        if ((work & Work.Register) != 0) Register();
        if ((work & Work.Abort) != 0) CloseNow(reset: true);
        if (IsClosed)
        {
            _reader.OnClosed();
            _writer.OnClosed();
        }
        else
        {
            if ((work & Work.Flush) != 0) _writer.Continue();
            if ((work & Work.Shutdown) != 0 && !IsClosed) Libc.Shutdown(Descriptor);
            if ((work & Work.Read) != 0 && Readable && !IsClosed) _reader.Receive();
        }
        if ((work & Work.Dispose) != 0) Free();
    }

    /// <summary>The loop has ended; whoever asks does the work, of which only the ending is left.</summary>
    public void RunOrphaned()
    {
        IsClosed = true;
        var work = (Work)Interlocked.Exchange(ref _work, 0);
        if ((work & Work.Register) != 0 && !_registered) Libc.Close(Descriptor);
        _reader.OnClosed();
        _writer.OnClosed();
        if ((work & Work.Dispose) != 0) Free();
    }

    /// <summary>Closes the descriptor and ends what is pending. Loop thread only.</summary>
    public void CloseNow(bool reset)
    {
        if (!IsClosed)
        {
            IsClosed = true;
            if (_registered) Loop.Unregister(this);
            if (reset) Libc.ResetOnClose(Descriptor);
            Libc.Close(Descriptor);
        }
        _reader.OnClosed();
        _writer.OnClosed();
    }

    public override void Abort() => Ask(Work.Abort);

    public override ValueTask ShutdownAsync()
    {
        // Whatever was flushed has been given to the kernel by the time the flush completed, so the FIN goes out behind it.
        if (Loop.IsCurrentThread)
        {
            if (!IsClosed) Libc.Shutdown(Descriptor);
        }
        else Ask(Work.Shutdown);
        return default;
    }

    public override ValueTask DisposeAsync()
    {
        if (Loop.IsCurrentThread)
        {
            CloseNow(reset: false);
            Free();
            return default;
        }
        var disposed = Volatile.Read(ref _disposed);
        if (disposed is null)
        {
            var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            disposed = Interlocked.CompareExchange(ref _disposed, mine, null) ?? mine;
            Ask(Work.Dispose);
        }
        return new ValueTask(disposed.Task);
    }

    private void Free()
    {
        CloseNow(reset: false);
        _reader.Release();
        _writer.Release();
        if (Interlocked.CompareExchange(ref _disposed, new TaskCompletionSource(), null) is { } waiting) waiting.TrySetResult();
        else _disposed.TrySetResult();
    }

    private void Register()
    {
        if (IsClosed) return;
        _registered = true;
        if (Loop.Register(this)) _listener!.OnAccepted(this);
        else CloseNow(reset: true);
    }

    private void Ask(Work work)
    {
        if (Interlocked.Or(ref _work, (int)work) == 0) Loop.Schedule(this);
    }
}
