using System.Collections.Concurrent;
using System.Diagnostics;
using FastChat.Diagnostics;

namespace FastChat.Transport.Epoll;

/// <summary>
/// One thread, one epoll instance, many connections. A turn: wait for readiness, run what is ready (receive, the reader's continuation and
/// its sends, inline), then what other threads asked for, then the sends that were put off to the end of the turn.
/// </summary>
/// <remarks>
/// Sockets are registered once, edge-triggered, for everything: no epoll_ctl afterwards, and no second poll of what was just handled.
/// All socket calls of a connection but the first registration are made on its loop's thread, so a descriptor cannot be closed under a
/// call that uses it. Other threads ask by <see cref="Schedule"/>; they pay a system call only while the loop sleeps.
/// </remarks>
internal sealed unsafe class EpollLoop
{
    /// <summary>One receive takes at most this much; it stays in the second-level cache on the way through.</summary>
    public const int ReceiveSize = 256 * 1024;
    private const int MaxEvents = 512;
    private const ulong WakeTag = ulong.MaxValue;
    private const ulong ListenTag = ulong.MaxValue - 1;

    private static readonly EpollConnection Closed = EpollConnection.Sentinel();

    private readonly EpollOptions _options;
    private readonly int _epoll;
    private readonly int _event;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<EpollConnection> _ready = []; // to run again although no event will say so
    private readonly List<EpollConnection> _running = [];
    private EpollConnection?[] _slots = new EpollConnection?[64];
    private readonly Stack<int> _freeSlots = new();
    private readonly List<int> _freedSlots = []; // in this turn; not reused before its events have all been looked at
    private int _slotCount;
    private EpollConnection? _scheduled; // Treiber stack of connections that other threads want something of
    private readonly ConcurrentQueue<Action> _posted = new();
    private Action? _accept;
    private byte[]? _shared;
    private int _sharedStart;
    private ReceiveSlab? _slab; // the shared buffer's holders, once there were any
    private readonly long _stallTicks;
    private int _sleeping;
    private volatile bool _stopping;

    public EpollLoop(EpollOptions options, string name)
    {
        _options = options;
        _stallTicks = (long)(options.StallThreshold.TotalSeconds * Stopwatch.Frequency);
        _epoll = Libc.CreateEpoll();
        _event = Libc.CreateEvent();
        if (_epoll < 0 || _event < 0) throw new IOException($"No epoll instance: error {Libc.Errno}");
        Libc.Control(_epoll, Libc.EpollCtlAdd, _event, Libc.EpollIn | Libc.EpollEdge, WakeTag);
        _thread = new Thread(Run, 256 * 1024 * 4) { Name = name, IsBackground = true };
    }

    /// <summary>The connection whose event is being handled on this loop's thread: its own flushes go out at once, others' at the end of the turn.</summary>
    public EpollConnection? Current { get; private set; }

    /// <summary>How many turns took longer than the threshold.</summary>
    public long Stalls { get; private set; }

    public EpollOptions Options => _options;

    public bool IsCurrentThread => Environment.CurrentManagedThreadId == _thread.ManagedThreadId;

    public Task Ended => _ended.Task;

    public void Start() => _thread.Start();

    /// <summary>Runs <paramref name="accept"/> on this loop whenever the listening socket is ready.</summary>
    public void Listen(int listener, Action accept)
    {
        _accept = accept;
        // Level-triggered: what one turn leaves in the backlog makes the next one come.
        if (Libc.Control(_epoll, Libc.EpollCtlAdd, listener, Libc.EpollIn, ListenTag) < 0) throw new IOException($"epoll_ctl: error {Libc.Errno}");
    }

    /// <summary>Stops watching the listening socket (also when accepting has to pause for want of descriptors).</summary>
    public void StopListening(int listener) => Libc.Control(_epoll, Libc.EpollCtlDel, listener, 0, 0);

    /// <summary>Runs something rare on the loop's thread. Any thread; never run where the loop has ended.</summary>
    public void Post(Action action)
    {
        _posted.Enqueue(action);
        Libc.Signal(_event);
    }

    /// <summary>Aborts every connection and ends the thread.</summary>
    public void Stop()
    {
        _stopping = true;
        Libc.Signal(_event);
    }

    /// <summary>Puts a connection on the list of what other threads want; its work bits say what. Any thread.</summary>
    public void Schedule(EpollConnection connection)
    {
        EpollConnection? head = Volatile.Read(ref _scheduled);
        while (true)
        {
            if (ReferenceEquals(head, Closed))
            {
                connection.RunOrphaned(); // the loop has ended: nobody else is left to do it
                return;
            }
            connection.Next = head;
            var seen = Interlocked.CompareExchange(ref _scheduled, connection, head);
            if (ReferenceEquals(seen, head)) break;
            head = seen;
        }
        if (Volatile.Read(ref _sleeping) != 0 && Interlocked.Exchange(ref _sleeping, 0) != 0) Libc.Signal(_event);
    }

    /// <summary>Comes back to this connection in the next turn. Loop thread only.</summary>
    public void RunAgain(EpollConnection connection) => _ready.Add(connection);

    /// <summary>The buffer that every receive goes into first, from <see cref="SharedStart"/> on. Loop thread only.</summary>
    public byte[] Shared => _shared ??= _options.Pool.Rent(ReceiveSize);

    /// <summary>Where in it the receive goes: before that are pieces that readers keep.</summary>
    public int SharedStart => _slab is null ? 0 : _slab.IsFree ? _sharedStart = 0 : _sharedStart;

    /// <summary>Nobody keeps a piece of it.</summary>
    public bool IsSharedFree => _slab is null or { IsFree: true };

    /// <summary>Leaves a reader the piece of the shared buffer that ends at <paramref name="end"/>, which it releases.</summary>
    public ReceiveSlab ShareUntil(int end)
    {
        var slab = _slab ??= new ReceiveSlab(_options.Pool, _shared!);
        slab.Hold();
        _sharedStart = (end + 63) & ~63; // two threads do not work on one cache line
        if (_shared!.Length - _sharedStart >= ReceiveSize / 4) return slab;
        (_shared, _slab) = (null, null);
        slab.Release();
        return slab;
    }

    /// <summary>Leaves a reader the whole shared buffer, which it returns; or, where others keep pieces of it, its piece.</summary>
    public ReceiveSlab? GiveUntil(int end)
    {
        if (!IsSharedFree) return ShareUntil(end);
        (_shared, _slab) = (null, null);
        return null;
    }

    public bool Register(EpollConnection connection)
    {
        int slot = _freeSlots.Count > 0 ? _freeSlots.Pop() : _slotCount++;
        if (slot == _slots.Length) Array.Resize(ref _slots, slot * 2);
        _slots[slot] = connection;
        connection.Slot = slot;
        const uint Everything = Libc.EpollIn | Libc.EpollOut | Libc.EpollRdHup | Libc.EpollEdge;
        return Libc.Control(_epoll, Libc.EpollCtlAdd, connection.Descriptor, Everything, (ulong)slot) == 0;
    }

    public void Unregister(EpollConnection connection)
    {
        _slots[connection.Slot] = null;
        _freedSlots.Add(connection.Slot);
    }

    private void Run()
    {
        byte* events = stackalloc byte[MaxEvents * Libc.EventSize];
        try
        {
            while (!_stopping) Turn(events);
        }
        catch (Exception e)
        {
            // A handler's failure is caught where it is called; what arrives here is a bug, and it must not take the process down unsaid.
            _options.Logger.LoopFailed(e);
        }
        Shutdown();
    }

    private void Turn(byte* events)
    {
        int count = Libc.Wait(_epoll, events, MaxEvents, PrepareToWait());
        Volatile.Write(ref _sleeping, 0);
        long start = Stopwatch.GetTimestamp();
        bool accept = false;
        int size = Libc.EventSize, dataAt = Libc.EventDataOffset;
        for (int i = 0; i < count; i++)
        {
            uint what = *(uint*)(events + (i * size));
            ulong data = *(ulong*)(events + (i * size) + dataAt);
            if (data == WakeTag) Libc.Drain(_event);
            else if (data == ListenTag) accept = true;
            else if (_slots[(int)data] is { } connection)
            {
                Current = connection;
                connection.OnEvent(what);
            }
        }
        Current = null;
        if (_ready.Count > 0) RunReady();
        RunScheduled();
        while (_posted.TryDequeue(out var action)) action();
        if (accept) _accept!();
        if (_freedSlots.Count > 0)
        {
            foreach (int slot in _freedSlots) _freeSlots.Push(slot);
            _freedSlots.Clear();
        }
        long took = Stopwatch.GetTimestamp() - start;
        if (took > _stallTicks)
        {
            Stalls++;
            EngineMetrics.LoopStalls.Add(1);
            _options.Logger.LoopStalled(took * 1000 / Stopwatch.Frequency);
        }
    }

    private int PrepareToWait()
    {
        if (_ready.Count > 0) return 0;
        Volatile.Write(ref _sleeping, 1);
        Interlocked.MemoryBarrier(); // either the other thread sees us asleep, or we see its work
        if (Volatile.Read(ref _scheduled) is null && !_stopping) return -1;
        Volatile.Write(ref _sleeping, 0);
        return 0;
    }

    private void RunReady()
    {
        _running.AddRange(_ready);
        _ready.Clear();
        foreach (var connection in _running)
        {
            Current = connection;
            connection.OnReady();
        }
        Current = null;
        _running.Clear();
    }

    private void RunScheduled()
    {
        var next = Volatile.Read(ref _scheduled) is null ? null : Interlocked.Exchange(ref _scheduled, null);
        // The stack is newest first; they are run oldest first.
        EpollConnection? oldest = null;
        while (next is not null)
        {
            var following = next.Next;
            next.Next = oldest;
            oldest = next;
            next = following;
        }
        while (oldest is not null)
        {
            var following = oldest.Next;
            oldest.Next = null;
            Current = oldest;
            oldest.OnScheduled();
            oldest = following;
        }
        Current = null;
    }

    private void Shutdown()
    {
        foreach (var connection in _slots.AsSpan(0, _slotCount)) connection?.CloseNow(reset: true);
        var left = Interlocked.Exchange(ref _scheduled, Closed);
        while (left is not null)
        {
            var following = left.Next;
            left.RunOrphaned();
            left = following;
        }
        if (_slab is not null) _slab.Release();
        else if (_shared is not null) _options.Pool.Return(_shared);
        (_shared, _slab) = (null, null);
        Libc.Close(_event);
        Libc.Close(_epoll);
        _ended.SetResult();
    }
}
