using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using FastChat.Transport.Epoll;

namespace FastChat.Transport;

/// <summary>
/// The process's table of descriptors, of which accepting leaves a part free: the runtime takes two for each assembly it has yet to load,
/// stores and clients take theirs, and a runtime that finds none ends the process. The kernel always gives the lowest number that is free,
/// so the number of the newest says how full the table is. For one thread at a time.
/// </summary>
internal sealed unsafe partial class DescriptorTable
{
    /// <summary>With fewer left there is nothing to serve with.</summary>
    private const int Least = 64;

    private const int NoLimit = int.MaxValue;
    private readonly int _ceiling;
    private readonly Func<int> _lowestFree;
    private int _newest;

    /// <param name="limit">How many there may be.</param>
    /// <param name="taken">How many there are.</param>
    /// <param name="lowestFree">Finds the lowest free one, or <see cref="int.MaxValue"/>.</param>
    /// <exception cref="IOException">Too few are left.</exception>
    public DescriptorTable(int limit, int taken, Func<int> lowestFree)
    {
        int free = limit - taken;
        if (free < Least)
            throw new IOException($"{taken} of the {limit} descriptors that this process may have (ulimit -n, LimitNOFILE) are taken: at least {taken + Least} are needed.");
        Room = free - Math.Min(free / 2, Math.Clamp(free / 8, Least, 512));
        (_newest, _ceiling, _lowestFree) = (taken, taken + Room, lowestFree);
    }

    /// <summary>How many connections there is room for.</summary>
    public int Room { get; }

    /// <summary>The table of this process, when it begins to listen.</summary>
    /// <exception cref="IOException">Too few are left.</exception>
    public static DescriptorTable Of(Socket listener) =>
        OperatingSystem.IsLinux() ? new(ReadLimit(), (int)listener.Handle, LowestFree) : new(NoLimit, 0, static () => 0);

    /// <summary>Notes the descriptor of a connection just accepted.</summary>
    public void Took(int descriptor) => _newest = descriptor;

    /// <summary>Whether one more connection may be accepted.</summary>
    public bool HasRoom() => _newest < _ceiling || (_newest = _lowestFree()) < _ceiling;

    private static int LowestFree()
    {
        int descriptor = Libc.CreateEvent();
        if (descriptor < 0) return NoLimit;
        Libc.Close(descriptor);
        return descriptor;
    }

    // The runtime has raised the soft limit to the hard one when it started.
    private static int ReadLimit()
    {
        const int openFiles = 7;
        // Where a long has 32 bits the C library's fields may have 64: the first word is the lower half of the soft limit.
        nuint* limits = stackalloc nuint[4];
        return getrlimit(openFiles, limits) == 0 && *limits < NoLimit ? (int)*limits : NoLimit;
    }

    [LibraryImport("libc")]
    private static partial int getrlimit(int resource, void* limits);
}
