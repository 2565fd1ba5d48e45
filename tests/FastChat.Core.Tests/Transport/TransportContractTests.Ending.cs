using System.Net;
using FastChat.Transport;

namespace FastChat.Core.Tests.Transport;

/// <content>How a stream, a connection and a listener end, from either side.</content>
public abstract partial class TransportContractTests
{
    [Fact]
    public async Task The_end_of_the_stream_is_a_completed_result_every_time()
    {
        var (server, client) = await PairAsync();
        await client.Output.WriteAsync(TransportTraffic.Bytes(0, 5)).AsTask().WaitAsync(Patience);
        await client.ShutdownAsync().AsTask().WaitAsync(Patience);
        await TransportTraffic.ReadAsync(server.Input, 5, seed: 1).WaitAsync(Patience);
        for (int i = 0; i < 2; i++)
        {
            var end = await server.Input.ReadAsync().AsTask().WaitAsync(Patience);
            Assert.True(end.IsCompleted);
            Assert.True(end.Buffer.IsEmpty);
            server.Input.AdvanceTo(end.Buffer.End);
        }
    }

    [Fact]
    public async Task After_a_half_close_the_other_direction_goes_on()
    {
        var (server, client) = await PairAsync();
        await client.ShutdownAsync().AsTask().WaitAsync(Patience);
        var end = await server.Input.ReadAsync().AsTask().WaitAsync(Patience);
        Assert.True(end.IsCompleted);
        server.Input.AdvanceTo(end.Buffer.End);
        await Task.WhenAll(
            TransportTraffic.WriteAsync(server.Output, 300_000, seed: 1),
            TransportTraffic.ReadAsync(client.Input, 300_000, seed: 2)).WaitAsync(Patience);
        await Assert.ThrowsAnyAsync<Exception>(() => client.Output.WriteAsync(new byte[1]).AsTask().WaitAsync(Patience));
    }

    [Fact]
    public async Task A_reset_by_the_peer_is_an_IOException_at_every_read()
    {
        var (server, client) = await PairAsync();
        var read = server.Input.ReadAsync().AsTask();
        client.Abort();
        for (int i = 0; i < 2; i++)
        {
            if (KnowsResets)
            {
                await Assert.ThrowsAsync<IOException>(() => read.WaitAsync(Patience));
            }
            else
            {
                var end = await read.WaitAsync(Patience);
                Assert.True(end.IsCompleted);
                server.Input.AdvanceTo(end.Buffer.End);
            }
            read = server.Input.ReadAsync().AsTask();
        }
        await TransportTraffic.EndsAsync(read).WaitAsync(Patience);
    }

    [Fact]
    public async Task Abort_from_another_thread_ends_a_pending_read()
    {
        var (server, _) = await PairAsync();
        var read = server.Input.ReadAsync().AsTask();
        await Task.Run(() =>
        {
            server.Abort();
            server.Abort();
        }).WaitAsync(Patience);
        await TransportTraffic.EndsAsync(read).WaitAsync(Patience);
        await TransportTraffic.EndsAsync(server.Output.WriteAsync(new byte[1]).AsTask()).WaitAsync(Patience);
    }

    [Fact]
    public async Task Abort_from_another_thread_ends_a_pending_flush()
    {
        var (server, _) = await PairAsync();
        var flush = server.Output.WriteAsync(new byte[MoreThanAnyWindow]).AsTask();
        Assert.False(flush.IsCompleted);
        await Task.Run(server.Abort).WaitAsync(Patience);
        await TransportTraffic.EndsAsync(flush).WaitAsync(Patience);
    }

    [Fact]
    public async Task Dispose_returns_what_was_not_read_drops_what_was_not_flushed_and_ends_what_is_pending()
    {
        var (server, client) = await PairAsync();
        await client.Output.WriteAsync(new byte[20_000]).AsTask().WaitAsync(Patience);
        var read = await server.Input.ReadAsync().AsTask().WaitAsync(Patience);
        server.Input.AdvanceTo(read.Buffer.Start, read.Buffer.Start);
        server.Output.GetMemory(100_000);
        server.Output.Advance(50_000);
        var pending = client.Input.ReadAsync().AsTask();
        await server.DisposeAsync().AsTask().WaitAsync(Patience);
        await server.DisposeAsync().AsTask().WaitAsync(Patience);
        try
        {
            Assert.True((await pending.WaitAsync(Patience)).Buffer.IsEmpty);
        }
        catch (IOException)
        {
            // A socket closed with bytes unread is reset.
        }

        (server, _) = await PairAsync();
        var pendingRead = server.Input.ReadAsync().AsTask();
        var pendingFlush = server.Output.WriteAsync(new byte[MoreThanAnyWindow]).AsTask();
        await server.DisposeAsync().AsTask().WaitAsync(Patience);
        await TransportTraffic.EndsAsync(pendingRead).WaitAsync(Patience);
        await TransportTraffic.EndsAsync(pendingFlush).WaitAsync(Patience);
    }

    [Fact]
    public async Task What_was_flushed_arrives_although_the_connection_is_disposed_at_once()
    {
        var (server, client) = await PairAsync();
        await server.Output.WriteAsync(TransportTraffic.Bytes(0, 50_000)).AsTask().WaitAsync(Patience);
        await server.DisposeAsync().AsTask().WaitAsync(Patience);
        await TransportTraffic.ReadAsync(client.Input, 50_000, seed: 1).WaitAsync(Patience);
        Assert.True((await client.Input.ReadAsync().AsTask().WaitAsync(Patience)).IsCompleted);
    }

    [Fact]
    public async Task Reading_and_writing_after_completion_are_InvalidOperationExceptions()
    {
        var (server, _) = await PairAsync();
        server.Input.Complete();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await server.Input.ReadAsync());
        server.Output.Complete();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await server.Output.WriteAsync(new byte[1]));
        Assert.Throws<InvalidOperationException>(() => server.Output.GetMemory());
    }

    [Fact]
    public async Task Aborts_and_disposals_in_the_middle_of_traffic_end_everything()
    {
        var random = new Random(7);
        for (int i = 0; i < 40; i++)
        {
            var (server, client) = await PairAsync();
            // Each on a thread of its own: where continuations are inline, two that feed each other never come back.
            int seed = i;
            var traffic = new[]
            {
                Task.Run(() => TransportTraffic.EndsAsync(TransportTraffic.WriteAsync(server.Output, int.MaxValue, seed))),
                Task.Run(() => TransportTraffic.EndsAsync(TransportTraffic.ReadAsync(server.Input, int.MaxValue, seed))),
                Task.Run(() => TransportTraffic.EndsAsync(TransportTraffic.WriteAsync(client.Output, int.MaxValue, seed))),
                Task.Run(() => TransportTraffic.EndsAsync(TransportTraffic.ReadAsync(client.Input, int.MaxValue, seed))),
            };
            for (int spin = random.Next(2000); spin > 0; spin--) await Task.Yield();
            (random.Next(2) == 0 ? server : client).Abort();
            await Task.WhenAll(traffic).WaitAsync(Patience);
            await server.DisposeAsync().AsTask().WaitAsync(Patience);
            await client.DisposeAsync().AsTask().WaitAsync(Patience);
        }
    }

    [Fact]
    public async Task A_listener_that_stopped_accepting_leaves_its_connections_alone()
    {
        var (server, client) = await PairAsync();
        if (Listener.EndPoint is IPEndPoint ip) Assert.NotEqual(0, ip.Port);
        await Listener.StopAcceptingAsync().AsTask().WaitAsync(Patience);
        await Listener.StopAcceptingAsync().AsTask().WaitAsync(Patience);
        await Assert.ThrowsAnyAsync<Exception>(async () => await (await ConnectToAsync(Listener).WaitAsync(Patience)).DisposeAsync());
        await Task.WhenAll(
            TransportTraffic.WriteAsync(server.Output, 1000, seed: 1),
            TransportTraffic.ReadAsync(client.Input, 1000, seed: 2)).WaitAsync(Patience);
    }

    [Fact]
    public async Task Disposing_a_listener_aborts_its_connections()
    {
        var (server, client) = await PairAsync();
        var reads = new[] { server.Input.ReadAsync().AsTask(), client.Input.ReadAsync().AsTask() };
        await Listener.DisposeAsync().AsTask().WaitAsync(Patience);
        await Listener.DisposeAsync().AsTask().WaitAsync(Patience);
        foreach (var read in reads) await TransportTraffic.EndsAsync(read).WaitAsync(Patience);
    }
}
