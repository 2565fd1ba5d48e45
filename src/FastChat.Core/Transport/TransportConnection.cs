using System.IO.Pipelines;
using System.Net;

namespace FastChat.Transport;

/// <summary>
/// One byte stream in both directions, as pipes: a TCP or Unix domain socket, a TLS stream, or two ends in memory.
/// It moves bytes and nothing else; framing sees only <see cref="Input"/> and <see cref="Output"/>.
/// </summary>
/// <remarks>
/// Reading: an idle <see cref="PipeReader.ReadAsync"/> holds no buffer; what it returns belongs to the reader of the pipe, which may
/// change it in place (a server unmasks there), until <see cref="PipeReader.AdvanceTo(SequencePosition, SequencePosition)"/>.
/// The end of the stream is a completed result; a reset is an <see cref="IOException"/>.
/// Writing: <see cref="PipeWriter.FlushAsync"/> completes once the peer's kernel window took every byte written so far, so what is
/// unsent is bounded by what a caller writes before it waits. A payload passed to <see cref="PipeWriter.WriteAsync"/> may be reused once
/// the call has returned, pending or not: what the kernel did not take at once has been copied. One thread may read while another writes; neither side may be used by
/// two threads at once. After <see cref="Abort"/> both sides end: reads and flushes complete, at the latest, with an <see cref="IOException"/>
/// or a completed result.
/// </remarks>
public abstract class TransportConnection : IDuplexPipe, IAsyncDisposable
{
    /// <summary>Bytes from the peer.</summary>
    public abstract PipeReader Input { get; }

    /// <summary>Bytes to the peer.</summary>
    public abstract PipeWriter Output { get; }

    /// <summary>The address of this end, where it has one.</summary>
    public virtual EndPoint? LocalEndPoint => null;

    /// <summary>The address of the peer, where it has one.</summary>
    public virtual EndPoint? RemoteEndPoint => null;

    /// <summary>
    /// Whether a read that had to wait goes on, when it completes, on the very thread that received (cheapest; what runs there must not
    /// block), or on the thread pool. Set before reading; a transport that knows only one way ignores it.
    /// </summary>
    public virtual bool InlineContinuations { get => false; set => _ = value; }

    /// <summary>
    /// Drops the connection at once, unsent bytes and all (a reset where the transport knows one). Safe from any thread, any number of
    /// times; never blocks and never throws.
    /// </summary>
    public abstract void Abort();

    /// <summary>
    /// Says that no more will be written (a TCP FIN; TLS close_notify first) once what was flushed is out. The peer's bytes can still be read.
    /// </summary>
    public abstract ValueTask ShutdownAsync();

    /// <summary>Completes both pipes, returns every buffer and frees the handle. Bytes not yet flushed are dropped. Idempotent.</summary>
    public abstract ValueTask DisposeAsync();
}
