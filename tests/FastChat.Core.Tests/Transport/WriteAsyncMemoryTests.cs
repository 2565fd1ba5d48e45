using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using FastChat.TestKit;
using FastChat.Transport;
using FastChat.Transport.Epoll;

namespace FastChat.Core.Tests.Transport;

/// <summary>A connection hands out payloads that lie in its receive buffer, and has that buffer reused right after the call.</summary>
public sealed class WriteAsyncMemoryTests
{
    private const int Length = 8 * 1024 * 1024;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public Task Over_sockets_a_payload_may_be_overwritten_once_the_call_has_returned() =>
        Overwrite(pool => new SocketTransportListener(new IPEndPoint(IPAddress.Loopback, 0), new SocketTransportOptions { Pool = pool }));

    [Fact]
    public Task Over_epoll_a_payload_may_be_overwritten_once_the_call_has_returned()
    {
        if (!EpollListener.IsSupported) Assert.Skip("epoll is a Linux facility.");
        return Overwrite(pool => new EpollListener(new IPEndPoint(IPAddress.Loopback, 0), new EpollOptions { Loops = 1, Pool = pool }));
    }

    private static async Task Overwrite(Func<TrackingArrayPool, TransportListener> listen)
    {
        var pool = new TrackingArrayPool();
        await using (var listener = listen(pool))
        {
            listener.Start(connection => _ = SendAndOverwriteAsync(connection));
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(listener.EndPoint).WaitAsync(Limit);
            byte[] received = new byte[Length];
            int total = 0;
            while (total < Length)
            {
                int count = await socket.ReceiveAsync(received.AsMemory(total)).AsTask().WaitAsync(Limit);
                Assert.NotEqual(0, count);
                total += count;
            }
            Assert.Equal(-1, received.AsSpan().IndexOfAnyExcept((byte)1));
        }
        pool.AssertNothingRented();
    }

    private static async Task SendAndOverwriteAsync(TransportConnection connection)
    {
        byte[] payload = new byte[Length];
        payload.AsSpan().Fill(1);
        var written = connection.Output.WriteAsync(payload);
        payload.AsSpan().Fill(2);
        FlushResult result = await written;
        Assert.False(result.IsCompleted);
        await connection.ShutdownAsync();
        await connection.DisposeAsync();
    }
}
