using System.Runtime.CompilerServices;

namespace FastChat.Connections;

/// <summary>What a sender meets whose peer does not read fast enough: the send queue holds <see cref="WebSocketLimits.SendQueueBytes"/>.</summary>
public enum SendQueuePolicy
{
    /// <summary>The send completes once there is room: back-pressure for whoever awaits it.</summary>
    Wait,
    /// <summary>The new message is dropped and counted (<see cref="WebSocketConnection.DroppedMessages"/>).</summary>
    DropNewest,
    /// <summary>The connection is closed with 1008.</summary>
    Close,
}

/// <summary>The limits of one connection. All are finite; a value that is not is refused when set. Do not change them once in use.</summary>
public sealed class WebSocketLimits
{
    private long _maxMessageBytes = 1 << 20;
    private long _maxFrameBytes = 1 << 20;
    private long _sendQueueBytes = 1 << 20;
    private TimeSpan _pingInterval = TimeSpan.FromSeconds(30);
    private TimeSpan _pongTimeout = TimeSpan.FromSeconds(10);
    private TimeSpan _closeTimeout = TimeSpan.FromSeconds(5);

    /// <summary>The longest message accepted, in bytes after inflating; a longer one costs the peer 1009. Default 1 MiB, at most 1 GiB.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not from 1 to 2^30.</exception>
    public long MaxMessageBytes { get => _maxMessageBytes; set => _maxMessageBytes = Bytes(value); }

    /// <summary>The longest frame accepted, in bytes as they come over the wire. Default 1 MiB, at most 1 GiB.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not from 1 to 2^30.</exception>
    public long MaxFrameBytes { get => _maxFrameBytes; set => _maxFrameBytes = Bytes(value); }

    /// <summary>
    /// How many bytes may wait for a peer that does not read, before <see cref="SendQueuePolicy"/> applies; one message of any size is
    /// always taken by an empty queue. Control frames do not count. Default 1 MiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Not from 1 to 2^30.</exception>
    public long SendQueueBytes { get => _sendQueueBytes; set => _sendQueueBytes = Bytes(value); }

    /// <summary>What happens to a send that finds the queue full. Default <see cref="SendQueuePolicy.Wait"/>.</summary>
    public SendQueuePolicy SendQueuePolicy { get; set; }

    /// <summary>A peer that was silent for so long is sent a ping. Default 30 s; <see cref="Timeout.InfiniteTimeSpan"/> turns pings off.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Neither positive and at most a day nor infinite.</exception>
    public TimeSpan PingInterval { get => _pingInterval; set => _pingInterval = value == Timeout.InfiniteTimeSpan ? value : Time(value); }

    /// <summary>A peer from which nothing came for so long after a ping is given up; it need not be the pong. Default 10 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive, or more than a day.</exception>
    public TimeSpan PongTimeout { get => _pongTimeout; set => _pongTimeout = Time(value); }

    /// <summary>How long the closing handshake may take, the peer's taking of what is queued included. Default 5 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive, or more than a day.</exception>
    public TimeSpan CloseTimeout { get => _closeTimeout; set => _closeTimeout = Time(value); }

    /// <summary>The shortest of the times, for whoever has to look often enough.</summary>
    internal TimeSpan Shortest => new[] { CloseTimeout, PongTimeout, PingInterval == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : PingInterval }.Min();

    private static long Bytes(long value, [CallerMemberName] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1 << 30, name);
        return value;
    }

    private static TimeSpan Time(TimeSpan value, [CallerMemberName] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromDays(1), name);
        return value;
    }
}
