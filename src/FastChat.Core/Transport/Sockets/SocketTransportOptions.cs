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

    /// <summary>Where buffers come from and return to.</summary>
    public ArrayPool<byte> Pool { get; set; } = ArrayPool<byte>.Shared;

    /// <summary>The clock for pauses after failed accepts and between connection attempts.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;
}
