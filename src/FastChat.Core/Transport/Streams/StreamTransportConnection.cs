using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;

namespace FastChat.Transport;

/// <summary>A connection over any duplex <see cref="Stream"/> that reads and writes asynchronously: TLS, or what another server upgraded.</summary>
/// <remarks>
/// Owns the stream, on which one read and one write may be under way at once. A stream knows no half close in general:
/// <see cref="ShutdownAsync"/> tells the peer where the stream is a <see cref="NetworkStream"/> or a derived class knows how; otherwise the
/// peer sees the end when the connection is disposed.
/// </remarks>
internal class StreamTransportConnection : TransportConnection
{
    private readonly CancellationTokenSource _closed = new();
    private readonly StreamInput _input;
    private readonly StreamOutput _output;
    private int _disposed;

    /// <summary>Makes a connection of <paramref name="stream"/>, which it owns from now on.</summary>
    public StreamTransportConnection(Stream stream, ArrayPool<byte>? pool = null, EndPoint? localEndPoint = null, EndPoint? remoteEndPoint = null)
    {
        Stream = stream;
        LocalEndPoint = localEndPoint;
        RemoteEndPoint = remoteEndPoint;
        pool ??= ArrayPool<byte>.Shared;
        _input = new StreamInput(stream, pool, _closed.Token);
        _output = new StreamOutput(stream, pool, _closed.Token);
    }

    public override PipeReader Input => _input;

    public override PipeWriter Output => _output;

    public override EndPoint? LocalEndPoint { get; }

    public override EndPoint? RemoteEndPoint { get; }

    public override bool InlineContinuations
    {
        get => _input.InlineContinuations;
        set => _input.InlineContinuations = _output.InlineContinuations = value;
    }

    protected Stream Stream { get; }

    public override void Abort()
    {
        try
        {
            Break();
            // Cancelling runs what waits for it, on a thread of its own.
            _ = _closed.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // Disposed in between: nothing is left to abort.
        }
    }

    public override async ValueTask ShutdownAsync()
    {
        _output.Complete();
        await _output.WhenIdleAsync();
        try
        {
            await EndOutputAsync();
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
        {
            // The peer or an abort was first: there is nothing left to say.
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        _input.Complete();
        _output.Complete();
        try
        {
            await CloseAsync();
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidOperationException)
        {
            // A stream that fails to say goodbye is closed all the same.
        }
        // Closing ended what was under way, or this does.
        await _closed.CancelAsync();
        await _input.WhenIdleAsync();
        await _output.WhenIdleAsync();
        await FreeAsync();
    }

    /// <summary>Makes every read and write fail, now or later, without blocking and without throwing anything but <see cref="ObjectDisposedException"/>.</summary>
    protected virtual void Break()
    {
        if (Stream is not NetworkStream network) return;
        try
        {
            network.Socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disconnected already.
        }
        // The socket, because the stream would say an orderly goodbye first.
        network.Socket.Dispose();
    }

    /// <summary>Tells the peer that nothing more comes. Nothing is being written.</summary>
    protected virtual ValueTask EndOutputAsync()
    {
        if (Stream is NetworkStream network) network.Socket.Shutdown(SocketShutdown.Send);
        return default;
    }

    /// <summary>Closes what is under the stream, so that reads and writes under way end.</summary>
    protected virtual ValueTask CloseAsync() => Stream.DisposeAsync();

    /// <summary>Frees the stream's own state; nothing is under way on it.</summary>
    protected virtual ValueTask FreeAsync()
    {
        _closed.Dispose();
        return default;
    }
}
