using System.Buffers;
using System.IO.Pipelines;
using System.Net;

namespace FastChat.Transport;

/// <summary>What the two ends of one in-memory connection share: a pipe each way and whether either end was aborted.</summary>
internal sealed class InMemoryLink(Pipe toServer, Pipe toClient)
{
    private volatile bool _aborted;

    public Pipe ToServer => toServer;

    public Pipe ToClient => toClient;

    public bool IsAborted => _aborted;

    /// <summary>
    /// Wakes all four sides. Nothing is completed here: the pipes belong to the threads that read and write them, which may be in the
    /// middle of a buffer; each side finds the flag on its next step.
    /// </summary>
    public void Abort()
    {
        _aborted = true;
        foreach (var pipe in (ReadOnlySpan<Pipe>)[toServer, toClient])
        {
            pipe.Reader.CancelPendingRead();
            pipe.Writer.CancelPendingFlush();
        }
    }

    public void ThrowIfAborted()
    {
        if (_aborted) throw new IOException("The connection was reset.");
    }
}

/// <summary>One end of an in-memory connection.</summary>
internal sealed class InMemoryConnection : TransportConnection
{
    private static readonly EndPoint Address = new InMemoryEndPoint();
    private readonly InMemoryLink _link;
    private int _disposed;

    public InMemoryConnection(InMemoryLink link, bool isClient, ArrayPool<byte> pool)
    {
        _link = link;
        Input = new InMemoryReader(link, (isClient ? link.ToClient : link.ToServer).Reader);
        Output = new InMemoryWriter(link, (isClient ? link.ToServer : link.ToClient).Writer, pool);
    }

    public override PipeReader Input { get; }

    public override PipeWriter Output { get; }

    public override EndPoint? LocalEndPoint => Address;

    public override EndPoint? RemoteEndPoint => Address;

    /// <summary>Runs when this end is disposed; set once, before the connection is handed out.</summary>
    internal Action<InMemoryConnection>? Disposed { get; set; }

    public override void Abort() => _link.Abort();

    public override ValueTask ShutdownAsync()
    {
        Output.Complete();
        return default;
    }

    public override ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return default;
        Output.Complete();
        Input.Complete();
        Disposed?.Invoke(this);
        return default;
    }
}

/// <summary>The address of everything in memory.</summary>
internal sealed class InMemoryEndPoint : EndPoint
{
    public override string ToString() => "in-memory";
}
