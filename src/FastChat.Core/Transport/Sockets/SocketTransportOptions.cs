using System.Buffers;

namespace FastChat.Transport;

/// <summary>How the portable socket transport listens and runs. Read when a listener starts or a connection is made.</summary>
public sealed class SocketTransportOptions
{
    private int _backlog = 512;

    /// <summary>Connections the kernel holds before they are accepted, at least 1; 512 as Kestrel's and nginx's. The kernel may cap it (somaxconn).</summary>
    public int Backlog
    {
        get => _backlog;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            _backlog = value;
        }
    }

    /// <summary>
    /// Whether the thread that completes, or cancels, a pending read or flush runs its continuation whatever thread that is. Off by
    /// default: continuations then run on thread pool threads, at once where the receive completed on one, which it does unless the
    /// process runs with DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS=1. On, together with that setting, saves a thread switch per message,
    /// and a continuation that blocks then blocks every socket of the process.
    /// </summary>
    public bool InlineContinuations { get; set; }

    /// <summary>Where buffers come from and return to.</summary>
    public ArrayPool<byte> Pool { get; set; } = ArrayPool<byte>.Shared;

    /// <summary>The clock for pauses after failed accepts and between connection attempts.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;
}
