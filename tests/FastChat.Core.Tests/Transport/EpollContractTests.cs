using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using FastChat.Transport;
using FastChat.Transport.Epoll;

namespace FastChat.Core.Tests.Transport;

public abstract class EpollContractTests : TransportContractTests
{
    protected abstract EndPoint Address { get; }

    protected virtual bool Inline => true;

    protected override int BuffersOfListener => 2;

    protected override TransportListener CreateListener()
    {
        Assert.SkipUnless(EpollListener.IsSupported, "epoll is a Linux facility.");
        return new EpollListener(Address, new EpollOptions { Pool = Pool, Loops = 2 });
    }

    protected override void OnAccepted(TransportConnection connection) => connection.InlineContinuations = Inline;

    [Fact]
    public async Task Consumers_that_wait_hold_what_they_have_received_and_no_buffer_each()
    {
        const int consumers = 100;
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var waiting = new List<Task>();
        var consuming = new List<Task>();
        for (int i = 0; i < consumers; i++)
        {
            var (server, client) = await PairAsync();
            byte[] message = new byte[100 + i * 10];
            Array.Fill(message, (byte)i);
            var received = new TaskCompletionSource();
            consuming.Add(ConsumeAsync(server, message, received));
            await client.Output.WriteAsync(message).AsTask().WaitAsync(Patience);
            waiting.Add(received.Task);
        }
        await Task.WhenAll(waiting).WaitAsync(Patience);
        Assert.True(Pool.PeakBytes < 4 << 20, $"{Pool.PeakBytes} bytes were rented.");
        go.SetResult();
        await Task.WhenAll(consuming).WaitAsync(Patience);

        async Task ConsumeAsync(TransportConnection server, byte[] message, TaskCompletionSource received)
        {
            for (int seen = 0; seen < message.Length;)
            {
                var result = await server.Input.ReadAsync();
                received.TrySetResult();
                await go.Task;
                Assert.Equal(message[seen..(seen + (int)result.Buffer.Length)], result.Buffer.ToArray());
                seen += (int)result.Buffer.Length;
                server.Input.AdvanceTo(result.Buffer.End);
            }
        }
    }

    [Fact]
    public async Task What_comes_in_dribbles_while_others_wait_is_kept_in_few_blocks()
    {
        const int total = 24_000, dribble = 16;
        var holding = new List<(TransportConnection Server, ReadResult Held)>();
        for (int i = 0; i < 2; i++) // one for each loop
        {
            var (holder, sender) = await PairAsync();
            await sender.Output.WriteAsync(new byte[100]).AsTask().WaitAsync(Patience);
            holding.Add((holder, await holder.Input.ReadAsync().AsTask().WaitAsync(Patience)));
        }
        var (server, client) = await PairAsync();
        for (int sent = 0; sent < total; sent += dribble)
        {
            byte[] data = new byte[dribble];
            Array.Fill(data, (byte)(sent / dribble));
            await client.Output.WriteAsync(data).AsTask().WaitAsync(Patience);
            await UntilAsync(sent + dribble);
        }
        var whole = await server.Input.ReadAtLeastAsync(total).AsTask().WaitAsync(Patience);
        int blocks = 0, at = 0;
        foreach (var block in whole.Buffer)
        {
            blocks++;
            foreach (byte received in block.ToArray()) Assert.Equal((byte)(at++ / dribble), received);
        }
        Assert.Equal(total, at);
        Assert.True(blocks <= 16, $"{blocks} blocks.");
        server.Input.AdvanceTo(whole.Buffer.End);
        foreach (var (holder, held) in holding) holder.Input.AdvanceTo(held.Buffer.End);

        async Task UntilAsync(int length)
        {
            while (true)
            {
                var buffer = (await server.Input.ReadAsync().AsTask().WaitAsync(Patience)).Buffer;
                bool there = buffer.Length == length;
                server.Input.AdvanceTo(buffer.Start, there && length == total ? buffer.Start : buffer.End);
                if (there) return;
            }
        }
    }

    [Fact]
    public async Task What_a_waiting_consumer_holds_stays_as_it_came_however_the_others_go_on()
    {
        const int connections = 8, total = 400_000;
        var all = new List<Task>();
        for (int i = 0; i < connections; i++)
        {
            var (server, client) = await PairAsync();
            all.Add(ProduceAsync(client, new Random(i)));
            all.Add(ConsumeAsync(server, new Random(i + 100)));
        }
        await Task.WhenAll(all).WaitAsync(Patience);

        // The byte at a position is the position's, so that each can be checked wherever it comes.
        static byte At(int position) => (byte)(position * 31 ^ position >> 8 ^ position >> 16);

        static async Task ProduceAsync(TransportConnection client, Random random)
        {
            for (int sent = 0; sent < total;)
            {
                byte[] data = new byte[Math.Min(random.Next(20) switch { 0 => random.Next(1, 200_000), < 5 => random.Next(1, 40_000), _ => random.Next(1, 600) }, total - sent)];
                for (int i = 0; i < data.Length; i++) data[i] = At(sent + i);
                sent += data.Length;
                await client.Output.WriteAsync(data);
            }
        }

        static async Task ConsumeAsync(TransportConnection server, Random random)
        {
            for (int consumed = 0; consumed < total;)
            {
                var buffer = (await server.Input.ReadAsync()).Buffer;
                if (random.Next(3) > 0) await Task.Yield(); // off the loop, which goes on
                byte[] expected = new byte[buffer.Length];
                for (int i = 0; i < expected.Length; i++) expected[i] = At(consumed + i);
                Assert.True(buffer.ToArray().AsSpan().SequenceEqual(expected));
                long take = random.Next(4) switch { 0 => 0, 1 => random.NextInt64(buffer.Length), _ => buffer.Length };
                consumed += (int)take;
                bool more = consumed + buffer.Length - take < total; // else looking at everything would wait for ever
                server.Input.AdvanceTo(buffer.GetPosition(take), buffer.GetPosition(more && random.Next(2) == 0 ? buffer.Length : take));
            }
        }
    }
}

public sealed class EpollTcpContractTests : EpollContractTests
{
    protected override EndPoint Address => new IPEndPoint(IPAddress.Loopback, 0);
}

public sealed class EpollUnixContractTests : EpollContractTests
{
    protected override EndPoint Address { get; } = new UnixDomainSocketEndPoint(UnixSocketPath.New());
}

public sealed class EpollThreadPoolContractTests : EpollContractTests
{
    protected override EndPoint Address => new IPEndPoint(IPAddress.Loopback, 0);

    protected override bool Inline => false;
}

public sealed class TlsOverEpollContractTests : TlsContractTests
{
    protected override int BuffersOfListener => 2;

    protected override TransportListener CreateInnerListener()
    {
        Assert.SkipUnless(EpollListener.IsSupported, "epoll is a Linux facility.");
        return new EpollListener(new IPEndPoint(IPAddress.Loopback, 0), new EpollOptions { Pool = Pool, Loops = 2 });
    }

    protected override void OnAccepted(TransportConnection connection) => connection.InlineContinuations = true;
}
