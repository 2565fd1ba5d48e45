using System.Runtime.InteropServices;

namespace FastChat.Transport.Epoll;

/// <summary>The few calls of the C library that the loop lives on. All blittable: a call costs the transition and nothing else.</summary>
internal static unsafe partial class Libc
{
    public const int EpollIn = 0x001, EpollOut = 0x004, EpollErr = 0x008, EpollHup = 0x010, EpollRdHup = 0x2000;
    public const uint EpollEdge = 1u << 31;
    public const int EpollCtlAdd = 1, EpollCtlDel = 2;
    public const int Eintr = 4, Eagain = 11, Enomem = 12, Enfile = 23, Emfile = 24, Epipe = 32, Econnaborted = 103, Econnreset = 104, Enobufs = 105;
    public const int MsgDontWait = 0x40, MsgNoSignal = 0x4000;
    public const int ShutWrite = 1;

    private const int SockNonBlock = 0x800, SockCloseOnExec = 0x80000;
    private const int EpollCloseOnExec = 0x80000, EventCloseOnExec = 0x80000, EventNonBlock = 0x800;
    private const int SolSocket = 1, SoLinger = 13, IpProtoTcp = 6, TcpNoDelay = 1;

    /// <summary>epoll_event is packed on x86-64 only.</summary>
    public static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    public static readonly int EventDataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    public struct IoVector
    {
        public byte* Base;
        public nuint Length;
    }

    public struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    public static int Errno => Marshal.GetLastSystemError();

    public static int CreateEpoll() => epoll_create1(EpollCloseOnExec);

    public static int CreateEvent() => eventfd(0, EventCloseOnExec | EventNonBlock);

    public static int Control(int epoll, int operation, int fd, uint events, ulong data)
    {
        byte* e = stackalloc byte[16];
        *(uint*)e = events;
        *(ulong*)(e + EventDataOffset) = data;
        return epoll_ctl(epoll, operation, fd, e);
    }

    public static int Wait(int epoll, byte* events, int max, int timeoutMs) => epoll_wait(epoll, events, max, timeoutMs);

    public static int Accept(int listener, byte* address, int* length) => accept4(listener, address, length, SockNonBlock | SockCloseOnExec);

    public static nint Receive(int fd, byte* buffer, nuint length) => recv(fd, buffer, length, MsgDontWait);

    public static nint Receive(int fd, IoVector* vectors, int count)
    {
        var message = new MessageHeader { Vectors = vectors, VectorCount = (nuint)count };
        return recvmsg(fd, &message, MsgDontWait);
    }

    public static nint Send(int fd, byte* buffer, nuint length) => send(fd, buffer, length, MsgDontWait | MsgNoSignal);

    public static nint Send(int fd, IoVector* vectors, int count)
    {
        var message = new MessageHeader { Vectors = vectors, VectorCount = (nuint)count };
        return sendmsg(fd, &message, MsgDontWait | MsgNoSignal);
    }

    public static void Signal(int eventFd)
    {
        ulong one = 1;
        _ = write(eventFd, (byte*)&one, 8);
    }

    public static void Drain(int eventFd)
    {
        ulong count;
        _ = read(eventFd, (byte*)&count, 8);
    }

    public static void NoDelay(int fd)
    {
        int one = 1;
        _ = setsockopt(fd, IpProtoTcp, TcpNoDelay, &one, 4); // fails on Unix domain sockets, where there is nothing to turn off
    }

    /// <summary>Makes close(2) send a reset and drop what is unsent.</summary>
    public static void ResetOnClose(int fd)
    {
        long lingerOnZero = 1; // struct linger { int l_onoff = 1; int l_linger = 0; }
        _ = setsockopt(fd, SolSocket, SoLinger, &lingerOnZero, 8);
    }

    public static int Shutdown(int fd) => shutdown(fd, ShutWrite);

    public static int Close(int fd) => close(fd);

    [LibraryImport("libc")]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc")]
    private static partial int epoll_ctl(int epoll, int operation, int fd, void* e);

    [LibraryImport("libc")]
    private static partial int epoll_wait(int epoll, void* events, int max, int timeout);

    [LibraryImport("libc")]
    private static partial int eventfd(uint initial, int flags);

    [LibraryImport("libc")]
    private static partial int accept4(int fd, void* address, void* length, int flags);

    [LibraryImport("libc")]
    private static partial nint recv(int fd, void* buffer, nuint length, int flags);

    [LibraryImport("libc")]
    private static partial nint recvmsg(int fd, void* message, int flags);

    [LibraryImport("libc")]
    private static partial nint send(int fd, void* buffer, nuint length, int flags);

    [LibraryImport("libc")]
    private static partial nint sendmsg(int fd, void* message, int flags);

    [LibraryImport("libc")]
    private static partial nint read(int fd, void* buffer, nuint length);

    [LibraryImport("libc")]
    private static partial nint write(int fd, void* buffer, nuint length);

    [LibraryImport("libc")]
    private static partial int setsockopt(int fd, int level, int name, void* value, uint length);

    [LibraryImport("libc")]
    private static partial int shutdown(int fd, int how);

    [LibraryImport("libc")]
    private static partial int close(int fd);
}
