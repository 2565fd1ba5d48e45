using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace FastChat.Compare.Load;

/// <summary>Tells which of many sockets can be read or written. For one thread.</summary>
internal abstract partial class Poller : IDisposable
{
    /// <summary>What <see cref="Wait"/> found: the index of a socket, and what can be done with it.</summary>
    public readonly record struct Ready(int Index, bool CanRead, bool CanWrite);

    /// <summary>The best that this system has.</summary>
    public static Poller Create() => OperatingSystem.IsLinux() ? new Epoll() : new Select();

    /// <summary>Watches a socket for what can be read. Indices count from 0 in the order of the calls.</summary>
    public abstract void Add(Socket socket);

    /// <summary>Whether to watch for room to write too.</summary>
    public abstract void WatchWrite(int index, bool on);

    /// <summary>Waits at most so long; 0 only looks.</summary>
    public abstract ReadOnlySpan<Ready> Wait(int milliseconds);

    public abstract void Dispose();

    /// <summary>Linux: as many sockets as one likes at the price of those that are ready.</summary>
    private sealed unsafe partial class Epoll : Poller
    {
        private const int MaxEvents = 1024;
        private const uint In = 1, Out = 4, Error = 8, HangUp = 16;
        private const int CtlAdd = 1, CtlModify = 3;

        // epoll_event is packed on x86-64 only.
        private static readonly int Size = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
        private static readonly int DataAt = Size - 8;

        private readonly int _epoll = epoll_create1(0x80000);
        private readonly List<Socket> _sockets = [];
        private readonly byte[] _events = GC.AllocateArray<byte>(MaxEvents * 16, pinned: true);
        private readonly Ready[] _ready = new Ready[MaxEvents];

        public override void Add(Socket socket)
        {
            _sockets.Add(socket);
            Control(CtlAdd, _sockets.Count - 1, In);
        }

        public override void WatchWrite(int index, bool on) => Control(CtlModify, index, on ? In | Out : In);

        public override ReadOnlySpan<Ready> Wait(int milliseconds)
        {
            fixed (byte* events = _events)
            {
                int n = epoll_wait(_epoll, events, MaxEvents, milliseconds);
                for (int i = 0; i < n; i++)
                {
                    byte* at = events + i * Size;
                    uint what = *(uint*)at;
                    _ready[i] = new Ready((int)*(ulong*)(at + DataAt), (what & (In | Error | HangUp)) != 0, (what & Out) != 0);
                }
                return _ready.AsSpan(0, Math.Max(n, 0));
            }
        }

        public override void Dispose() => _ = close(_epoll);

        private void Control(int operation, int index, uint events)
        {
            byte* e = stackalloc byte[16];
            *(uint*)e = events;
            *(ulong*)(e + DataAt) = (uint)index;
            if (epoll_ctl(_epoll, operation, (int)_sockets[index].Handle, e) < 0) throw new InvalidOperationException("epoll_ctl failed.");
        }

        [LibraryImport("libc")]
        private static partial int epoll_create1(int flags);

        [LibraryImport("libc")]
        private static partial int epoll_ctl(int epoll, int operation, int descriptor, void* e);

        [LibraryImport("libc")]
        private static partial int epoll_wait(int epoll, void* events, int max, int milliseconds);

        [LibraryImport("libc")]
        private static partial int close(int descriptor);
    }

    /// <summary>Everywhere else: fine for hundreds of sockets, slow for thousands.</summary>
    private sealed class Select : Poller
    {
        private readonly List<Socket> _sockets = [];
        private readonly Dictionary<Socket, int> _indices = [];
        private readonly HashSet<int> _writing = [];
        private readonly List<Ready> _ready = [];

        public override void Add(Socket socket)
        {
            _indices.Add(socket, _sockets.Count);
            _sockets.Add(socket);
        }

        public override void WatchWrite(int index, bool on) => _ = on ? _writing.Add(index) : _writing.Remove(index);

        public override ReadOnlySpan<Ready> Wait(int milliseconds)
        {
            _ready.Clear();
            var read = new List<Socket>(_sockets);
            var write = _writing.Select(i => _sockets[i]).ToList();
            Socket.Select(read, write.Count > 0 ? write : null, null, milliseconds * 1000);
            foreach (var socket in read) _ready.Add(new Ready(_indices[socket], true, false));
            foreach (var socket in write) _ready.Add(new Ready(_indices[socket], false, true));
            return CollectionsMarshal.AsSpan(_ready);
        }

        public override void Dispose()
        {
        }
    }
}
