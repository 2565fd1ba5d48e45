using System.Buffers;
using System.Net;
using System.Net.Security;

namespace FastChat.Transport;

/// <summary>TLS over another connection.</summary>
internal sealed class TlsConnection(TransportConnection inner, SslStream stream, ArrayPool<byte>? pool) : StreamTransportConnection(stream, pool)
{
    public override EndPoint? LocalEndPoint => inner.LocalEndPoint;

    public override EndPoint? RemoteEndPoint => inner.RemoteEndPoint;

    /// <summary>What was negotiated: protocol, cipher, ALPN, certificates.</summary>
    public SslStream Tls => stream;

    public override bool InlineContinuations
    {
        get => base.InlineContinuations;
        set => base.InlineContinuations = inner.InlineContinuations = value;
    }

    /// <summary>Runs when this connection is disposed; set once, before the connection is handed out.</summary>
    public Action<TlsConnection>? Disposed { get; set; }

    protected override void Break() => inner.Abort();

    protected override async ValueTask EndOutputAsync()
    {
        await stream.ShutdownAsync();
        await inner.ShutdownAsync();
    }

    // Not the SslStream: its disposal would pull its buffers from under a read that is under way.
    protected override ValueTask CloseAsync() => inner.DisposeAsync();

    protected override async ValueTask FreeAsync()
    {
        await stream.DisposeAsync();
        await base.FreeAsync();
        Disposed?.Invoke(this);
    }
}
