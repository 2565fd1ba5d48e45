using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using FastChat.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace FastChat.Server.Hosting;

/// <summary>A transport connection as Kestrel wants it.</summary>
internal sealed class SharedPortConnection : ConnectionContext, IConnectionIdFeature, IConnectionTransportFeature, IConnectionItemsFeature,
    IConnectionLifetimeFeature, IConnectionEndPointFeature
{
    private static long LastId;

    private readonly TransportConnection _connection;
    private readonly CancellationTokenSource _closed = new();
    private int _disposed;

    public SharedPortConnection(TransportConnection connection)
    {
        _connection = connection;
        ConnectionId = string.Create(CultureInfo.InvariantCulture, $"http-{Interlocked.Increment(ref LastId)}");
        Transport = connection;
        LocalEndPoint = connection.LocalEndPoint;
        RemoteEndPoint = connection.RemoteEndPoint;
        ConnectionClosed = _closed.Token;
        Features.Set<IConnectionIdFeature>(this);
        Features.Set<IConnectionTransportFeature>(this);
        Features.Set<IConnectionItemsFeature>(this);
        Features.Set<IConnectionLifetimeFeature>(this);
        Features.Set<IConnectionEndPointFeature>(this);
    }

    public override string ConnectionId { get; set; }

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new ConnectionItems();

    public override IDuplexPipe Transport { get; set; }

    public override EndPoint? LocalEndPoint { get; set; }

    public override EndPoint? RemoteEndPoint { get; set; }

    public override CancellationToken ConnectionClosed { get; set; }

    public override void Abort(ConnectionAbortedException abortReason) => Abort();

    public override void Abort()
    {
        _connection.Abort();
        CancelClosed();
    }

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            // Behind the last response.
            await _connection.ShutdownAsync();
            CancelClosed();
            await _connection.DisposeAsync();
        }
        await base.DisposeAsync();
    }

    // On the pool: what hangs on the token is Kestrel's code and the application's.
    private void CancelClosed() =>
        ThreadPool.UnsafeQueueUserWorkItem(static closed => closed.Cancel(), _closed, preferLocal: false);
}
