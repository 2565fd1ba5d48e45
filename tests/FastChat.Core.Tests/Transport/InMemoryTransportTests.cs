using System.Buffers;
using FastChat.Transport;

namespace FastChat.Core.Tests.Transport;

public sealed class InMemoryTransportTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_flush_waits_for_room_and_completes_once_the_peer_reads()
    {
        var (client, server) = InMemoryTransport.CreatePair(capacity: 10);
        await client.Output.WriteAsync(new byte[9]).AsTask().WaitAsync(Patience);
        var flush = client.Output.WriteAsync(new byte[5]).AsTask();
        Assert.False(flush.IsCompleted);
        var read = await server.Input.ReadAsync().AsTask().WaitAsync(Patience);
        server.Input.AdvanceTo(read.Buffer.GetPosition(4));
        Assert.False(flush.IsCompleted);
        read = await server.Input.ReadAsync().AsTask().WaitAsync(Patience);
        server.Input.AdvanceTo(read.Buffer.GetPosition(1));
        await flush.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_listener_hands_out_the_other_end_and_refuses_after_it_stopped()
    {
        await using var listener = new InMemoryListener();
        Assert.Throws<IOException>(() => listener.Connect());
        var accepted = new List<TransportConnection>();
        listener.Start(accepted.Add);
        var client = listener.Connect();
        await client.Output.WriteAsync("hello"u8.ToArray()).AsTask().WaitAsync(Patience);
        var read = await Assert.Single(accepted).Input.ReadAsync().AsTask().WaitAsync(Patience);
        Assert.Equal("hello"u8.ToArray(), read.Buffer.ToArray());
        await listener.StopAcceptingAsync();
        Assert.Throws<IOException>(() => listener.Connect());
        await listener.DisposeAsync();
        await Assert.ThrowsAsync<IOException>(() => client.Input.ReadAsync().AsTask().WaitAsync(Patience));
    }

    [Fact]
    public async Task Abort_resets_both_ends_even_in_a_pending_read()
    {
        var (client, server) = InMemoryTransport.CreatePair();
        var mine = client.Input.ReadAsync().AsTask();
        var theirs = server.Input.ReadAsync().AsTask();
        client.Abort();
        await Assert.ThrowsAsync<IOException>(() => mine.WaitAsync(Patience));
        await Assert.ThrowsAsync<IOException>(() => theirs.WaitAsync(Patience));
        await Assert.ThrowsAsync<IOException>(() => server.Output.WriteAsync(new byte[1]).AsTask().WaitAsync(Patience));
    }
}
