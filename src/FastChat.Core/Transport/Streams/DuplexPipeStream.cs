using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace FastChat.Transport;

/// <summary>
/// The bytes of a connection as a stream, for the in-box types that only take one: <see cref="System.Net.Security.SslStream"/>. A zero-byte
/// read waits for bytes. One read and one write at a time; disposing it does nothing, the connection belongs to somebody else.
/// </summary>
internal sealed class DuplexPipeStream(TransportConnection connection) : Stream
{
    private readonly PipeReader _input = connection.Input;
    private readonly PipeWriter _output = connection.Output;

    /// <summary>
    /// While a handshake is under way, reads and writes go on on a thread pool thread whichever thread completed them: its public-key
    /// mathematics would stall an event loop for milliseconds. And they heed their tokens; afterwards what is pending ends with the
    /// connection alone, and a token for each read would only cost.
    /// </summary>
    public bool InHandshake { get; set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var result = await _input.ReadAsync(InHandshake ? cancellationToken : default).ConfigureAwait(false);
        var bytes = result.Buffer;
        if (bytes.Length > buffer.Length) bytes = bytes.Slice(0, buffer.Length);
        int count = (int)bytes.Length;
        bytes.CopyTo(buffer.Span);
        _input.AdvanceTo(bytes.End);
        if (count == 0 && result.IsCanceled) throw new OperationCanceledException();
        if (InHandshake && !Thread.CurrentThread.IsThreadPoolThread) await LeaveAsync();
        return count;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var result = await _output.WriteAsync(buffer, InHandshake ? cancellationToken : default).ConfigureAwait(false);
        if (result.IsCanceled) throw new OperationCanceledException();
        if (result.IsCompleted) throw new IOException("The peer reads no more.");
        if (InHandshake && !Thread.CurrentThread.IsThreadPoolThread) await LeaveAsync();
    }

    /// <summary>Nothing to do: each write is flushed.</summary>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Asynchronous only.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Asynchronous only.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private static ConfiguredTaskAwaitable LeaveAsync() => Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
}
