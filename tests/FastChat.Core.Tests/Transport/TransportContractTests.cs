using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using FastChat.Transport;

namespace FastChat.Core.Tests.Transport;

/// <summary>
/// What <see cref="TransportConnection"/> and <see cref="TransportListener"/> promise, for any transport. The server's end is the one under
/// test.
/// </summary>
public abstract partial class TransportContractTests : TransportFixture
{
    // More than any kernel buffers on its own on both ends together.
    private const int MoreThanAnyWindow = 48 * 1024 * 1024;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(125)]
    [InlineData(4096)]
    [InlineData(65_537)]
    [InlineData(1_000_003)]
    [InlineData(8 * 1024 * 1024)]
    public async Task Bytes_arrive_in_order_both_ways_at_once(int size)
    {
        var (server, client) = await PairAsync();
        await Task.WhenAll(
            TransportTraffic.WriteAsync(server.Output, size, seed: 1), TransportTraffic.ReadAsync(client.Input, size, seed: 2),
            TransportTraffic.WriteAsync(client.Output, size, seed: 3), TransportTraffic.ReadAsync(server.Input, size, seed: 4)).WaitAsync(Patience);
    }

    [Fact]
    public async Task One_write_larger_than_every_buffer_arrives_whole_behind_what_was_buffered()
    {
        var (server, client) = await PairAsync();
        const int Size = 8 * 1024 * 1024;
        var bytes = TransportTraffic.Bytes(0, Size);
        bytes.AsSpan(0, 10).CopyTo(server.Output.GetSpan(10));
        server.Output.Advance(10);
        if (server.Output.CanGetUnflushedBytes) Assert.Equal(10, server.Output.UnflushedBytes);
        var write = server.Output.WriteAsync(bytes.AsMemory(10)).AsTask();
        await TransportTraffic.ReadAsync(client.Input, Size, seed: 5).WaitAsync(Patience);
        await write.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_flush_waits_for_the_peer_and_completes_once_it_reads()
    {
        var (server, client) = await PairAsync();
        var bytes = TransportTraffic.Bytes(0, MoreThanAnyWindow);
        var flush = server.Output.WriteAsync(bytes).AsTask();
        await TransportTraffic.ReadAsync(client.Input, 1_000_000, seed: 1).WaitAsync(Patience);
        Assert.False(flush.IsCompleted);
        await TransportTraffic.ReadAsync(client.Input, MoreThanAnyWindow - 1_000_000, seed: 2, from: 1_000_000).WaitAsync(Patience);
        await flush.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_cancelled_flush_gives_the_memory_back_and_its_bytes_still_go_out_first()
    {
        var (server, client) = await PairAsync();
        var bytes = TransportTraffic.Bytes(0, MoreThanAnyWindow);
        using var cancel = new CancellationTokenSource();
        var flush = server.Output.WriteAsync(bytes, cancel.Token).AsTask();
        Assert.False(flush.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => flush.WaitAsync(Patience));
        bytes.AsSpan().Clear();

        // One more that is cancelled while it waits behind the first, and one that is not.
        flush = server.Output.WriteAsync(TransportTraffic.Bytes(MoreThanAnyWindow, 10_000)).AsTask();
        Assert.False(flush.IsCompleted);
        server.Output.CancelPendingFlush();
        Assert.True((await flush.WaitAsync(Patience)).IsCanceled);
        flush = server.Output.WriteAsync(TransportTraffic.Bytes(MoreThanAnyWindow + 10_000, 10_000)).AsTask();
        await TransportTraffic.ReadAsync(client.Input, MoreThanAnyWindow + 20_000, seed: 2).WaitAsync(Patience);
        Assert.False((await flush.WaitAsync(Patience)).IsCanceled);
    }

    [Fact]
    public async Task A_cancelled_read_loses_nothing()
    {
        var (server, client) = await PairAsync();
        using var cancel = new CancellationTokenSource();
        var read = server.Input.ReadAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.WaitAsync(Patience));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => server.Input.ReadAsync(cancel.Token).AsTask().WaitAsync(Patience));

        read = server.Input.ReadAsync().AsTask();
        server.Input.CancelPendingRead();
        var canceled = await read.WaitAsync(Patience);
        Assert.True(canceled.IsCanceled);
        server.Input.AdvanceTo(canceled.Buffer.Start, canceled.Buffer.End);

        server.Input.CancelPendingRead();
        canceled = await server.Input.ReadAsync().AsTask().WaitAsync(Patience);
        Assert.True(canceled.IsCanceled);
        server.Input.AdvanceTo(canceled.Buffer.Start, canceled.Buffer.End);

        read = server.Input.ReadAsync().AsTask();
        Assert.False(read.IsCompleted);
        await client.Output.WriteAsync(TransportTraffic.Bytes(0, 3)).AsTask().WaitAsync(Patience);
        var result = await read.WaitAsync(Patience);
        Assert.False(result.IsCanceled);
        server.Input.AdvanceTo(result.Buffer.Start);
        await TransportTraffic.ReadAsync(server.Input, 3, seed: 1).WaitAsync(Patience);
    }

    [Fact]
    public async Task A_read_waits_for_more_than_was_examined()
    {
        var (server, client) = await PairAsync();
        await client.Output.WriteAsync(TransportTraffic.Bytes(0, 10)).AsTask().WaitAsync(Patience);
        ReadResult read;
        do
        {
            read = await server.Input.ReadAsync().AsTask().WaitAsync(Patience);
            if (read.Buffer.Length < 10) server.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
        while (read.Buffer.Length < 10);
        server.Input.AdvanceTo(read.Buffer.GetPosition(4), read.Buffer.GetPosition(5));
        var again = server.Input.ReadAsync();
        Assert.True(again.IsCompleted);
        read = await again;
        Assert.Equal(TransportTraffic.Bytes(4, 6), read.Buffer.ToArray());
        server.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        var more = server.Input.ReadAsync().AsTask();
        Assert.False(more.IsCompleted);
        await client.Output.WriteAsync(TransportTraffic.Bytes(10, 10)).AsTask().WaitAsync(Patience);
        read = await more.WaitAsync(Patience);
        Assert.True(read.Buffer.Length > 6);
        server.Input.AdvanceTo(read.Buffer.Start);
        await TransportTraffic.ReadAsync(server.Input, 16, seed: 1, from: 4).WaitAsync(Patience);
    }

    [Fact]
    public async Task Bytes_can_be_consumed_up_to_every_position()
    {
        var (server, client) = await PairAsync();
        for (int cut = 0; cut <= 64; cut++)
        {
            await client.Output.WriteAsync(TransportTraffic.Bytes(0, 64)).AsTask().WaitAsync(Patience);
            await TransportTraffic.ReadAsync(server.Input, cut, seed: 1).WaitAsync(Patience);
            await TransportTraffic.ReadAsync(server.Input, 64 - cut, seed: 1, from: cut).WaitAsync(Patience);
        }
    }

    [Fact]
    public async Task TryRead_gives_what_is_left_and_nothing_after_that()
    {
        var (server, client) = await PairAsync();
        Assert.False(server.Input.TryRead(out _));
        await client.Output.WriteAsync(TransportTraffic.Bytes(0, 2)).AsTask().WaitAsync(Patience);
        await TransportTraffic.ReadAsync(server.Input, 1, seed: 1).WaitAsync(Patience);
        var read = await server.Input.ReadAsync().AsTask().WaitAsync(Patience);
        server.Input.AdvanceTo(read.Buffer.Start);
        Assert.True(server.Input.TryRead(out read));
        server.Input.AdvanceTo(read.Buffer.End);
        Assert.False(server.Input.TryRead(out _));
    }

    [Fact]
    public async Task Idle_connections_hold_no_buffers()
    {
        var reads = new List<(TransportConnection Server, Task<ReadResult> Read)>();
        for (int i = 0; i < 5; i++)
        {
            var (server, client) = await PairAsync();
            await client.Output.WriteAsync(TransportTraffic.Bytes(0, 1000)).AsTask().WaitAsync(Patience);
            await TransportTraffic.ReadAsync(server.Input, 1000, seed: 1).WaitAsync(Patience);
            await server.Output.WriteAsync(TransportTraffic.Bytes(0, 1000)).AsTask().WaitAsync(Patience);
            await TransportTraffic.ReadAsync(client.Input, 1000, seed: 1).WaitAsync(Patience);
            reads.Add((server, server.Input.ReadAsync().AsTask()));
        }
        Assert.All(reads, r => Assert.False(r.Read.IsCompleted));
        Assert.InRange(Pool.Outstanding, 0, BuffersOfListener);
        foreach (var (server, read) in reads)
        {
            server.Abort();
            await TransportTraffic.EndsAsync(read).WaitAsync(Patience);
        }
    }

    [Fact]
    public async Task Many_connections_echo_side_by_side()
    {
        var pairs = new List<(TransportConnection Server, TransportConnection Client)>();
        for (int i = 0; i < 50; i++) pairs.Add(await PairAsync());
        await Task.WhenAll(pairs.SelectMany((pair, i) => new[]
        {
            TransportTraffic.EchoAsync(pair.Server),
            TransportTraffic.WriteAsync(pair.Client.Output, 200_000, seed: i),
            TransportTraffic.ReadAsync(pair.Client.Input, 200_000, seed: i).ContinueWith(async read =>
            {
                await read;
                await pair.Client.ShutdownAsync();
            }, TaskScheduler.Default).Unwrap(),
        })).WaitAsync(Patience);
    }

    [Fact]
    public async Task Cancellations_in_the_middle_of_traffic_lose_no_byte()
    {
        var (server, client) = await PairAsync();
        const int Size = 3_000_000;
        var done = false;
        var canceling = Task.Run(async () =>
        {
            while (!Volatile.Read(ref done))
            {
                server.Input.CancelPendingRead();
                server.Output.CancelPendingFlush();
                await Task.Yield();
            }
        });
        await Task.WhenAll(
            TransportTraffic.WriteAsync(server.Output, Size, seed: 1), TransportTraffic.ReadAsync(client.Input, Size, seed: 2),
            TransportTraffic.WriteAsync(client.Output, Size, seed: 3), TransportTraffic.ReadAsync(server.Input, Size, seed: 4)).WaitAsync(Patience);
        Volatile.Write(ref done, true);
        await canceling.WaitAsync(Patience);
    }
}

/// <summary>The contract, and that reads and advances out of turn are told; where every nanosecond counts they are not.</summary>
public abstract class StrictTransportContractTests : TransportContractTests
{
    [Fact]
    public async Task Reading_and_advancing_out_of_turn_are_InvalidOperationExceptions()
    {
        var (server, client) = await PairAsync();
        Assert.Throws<InvalidOperationException>(() => server.Input.AdvanceTo(default));
        await client.Output.WriteAsync(new byte[1]).AsTask().WaitAsync(Patience);
        var read = await server.Input.ReadAsync().AsTask().WaitAsync(Patience);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await server.Input.ReadAsync());
        server.Input.AdvanceTo(read.Buffer.End);
    }
}
