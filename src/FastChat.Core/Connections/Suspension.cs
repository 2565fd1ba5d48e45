using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace FastChat.Connections;

/// <summary>What a connection has to keep while its handler waits, or while a transport without a read signal does. Made once, reused.</summary>
internal sealed class Suspension
{
    private readonly Action _resume;
    private readonly Action _receive;
    private ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter _handler;
    private ConfiguredValueTaskAwaitable<ReadResult>.ConfiguredValueTaskAwaiter _read;
    private ReadOnlySequence<byte> _rest;
    private bool _reading;

    public Suspension(WebSocketConnection connection)
    {
        _resume = connection.Resume;
        _receive = connection.Receive;
    }

    /// <summary>Calls <see cref="WebSocketConnection.Resume"/> when the handler is done.</summary>
    /// <param name="handling">What it waits for.</param>
    /// <param name="rest">What is left of the buffer behind its message.</param>
    public void AwaitHandler(ValueTask handling, in ReadOnlySequence<byte> rest)
    {
        _rest = rest;
        _handler = handling.ConfigureAwait(false).GetAwaiter();
        _handler.UnsafeOnCompleted(_resume);
    }

    /// <summary>The handler has come to its end: throws what it threw.</summary>
    /// <param name="rest">The rest of the buffer, also then.</param>
    public void EndHandler(out ReadOnlySequence<byte> rest)
    {
        rest = _rest;
        var handler = _handler;
        _handler = default;
        _rest = default;
        handler.GetResult();
    }

    /// <summary>Reads, or calls <see cref="WebSocketConnection.Receive"/> when there is something to read, which then comes back here.</summary>
    public bool TryRead(PipeReader input, out ReadResult result)
    {
        var read = _read;
        if (_reading)
        {
            _reading = false;
            _read = default;
            result = read.GetResult();
            return true;
        }
#pragma warning disable CA2012 // The awaiter is kept for the one GetResult above.
        read = input.ReadAsync().ConfigureAwait(false).GetAwaiter();
#pragma warning restore CA2012
        if (read.IsCompleted)
        {
            result = read.GetResult();
            return true;
        }
        _read = read;
        _reading = true;
        read.UnsafeOnCompleted(_receive);
        result = default;
        return false;
    }
}
