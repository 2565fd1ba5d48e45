using System.Net;
using FastChat.Diagnostics;
using Microsoft.Extensions.Logging;

namespace FastChat.Transport;

/// <summary>
/// Tells of pauses in accepting: of the first, of its end, and then of none for a minute, since a full table of descriptors makes one after
/// the other. For one thread at a time.
/// </summary>
internal sealed class AcceptPauses(ILogger logger, TimeProvider time)
{
    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(1);

    private long? _toldAt;
    private bool _told;

    /// <summary>Accepting pauses.</summary>
    /// <param name="endPoint">Where.</param>
    /// <param name="error">What the kernel said; 0 when it is we who leave the rest of the table to the runtime.</param>
    public void Begin(EndPoint endPoint, int error)
    {
        if (_toldAt is { } then && time.GetElapsedTime(then) < Silence) return;
        _toldAt = time.GetTimestamp();
        _told = true;
        if (error == 0) logger.DescriptorsShort(endPoint);
        else logger.AcceptFailed(endPoint, error);
    }

    /// <summary>A connection was accepted.</summary>
    public void End(EndPoint endPoint)
    {
        if (!_told) return;
        _told = false;
        logger.AcceptsAgain(endPoint);
    }
}
