using System.Buffers;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastChat.Transport.Epoll;

/// <summary>What an <see cref="EpollListener"/> is made of.</summary>
internal sealed class EpollOptions
{
    /// <summary>Loops, each one thread with an epoll instance; connections are dealt out to them in turn.</summary>
    public int Loops { get; init; } = Environment.ProcessorCount;

    /// <summary>The kernel's queue of connections not yet accepted (it caps it at net.core.somaxconn).</summary>
    public int Backlog { get; init; } = 4096;

    /// <summary>A turn longer than this is logged and counted as a stall: some handler blocks.</summary>
    public TimeSpan StallThreshold { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Where buffers come from.</summary>
    public ArrayPool<byte> Pool { get; init; } = ArrayPool<byte>.Shared;

    public ILogger Logger { get; init; } = NullLogger.Instance;

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
