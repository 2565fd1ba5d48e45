using System.Buffers;
using FastChat.Buffers;
using FastChat.TestKit;

namespace FastChat.Core.Tests.Buffers;

public sealed class BufferChainTests
{
    [Fact]
    public void A_random_walk_of_writes_appends_and_reads_keeps_the_bytes_in_order()
    {
        var pool = new TrackingArrayPool();
        var random = new Random(11);
        var chain = new BufferChain(pool);
        var other = new BufferChain(pool);
        var model = new Queue<byte>();
        var scratch = new byte[20_000];
        for (int turn = 0; turn < 2000; turn++)
        {
            var bytes = scratch.AsSpan(0, random.Next(random.Next(4) == 0 ? scratch.Length : 50));
            switch (random.Next(4))
            {
                case 0:
                    random.NextBytes(bytes);
                    chain.Write(bytes);
                    foreach (byte b in bytes) model.Enqueue(b);
                    break;
                case 1:
                    random.NextBytes(bytes);
                    other.Write(bytes);
                    chain.Append(other);
                    Assert.True(other.IsEmpty);
                    foreach (byte b in bytes) model.Enqueue(b);
                    break;
                default:
                    int n = chain.Read(bytes);
                    Assert.Equal(Math.Min(bytes.Length, model.Count), n);
                    for (int i = 0; i < n; i++) Assert.Equal(model.Dequeue(), bytes[i]);
                    break;
            }
            Assert.Equal(model.Count, chain.Length);
            Assert.Equal(model.Count, chain.Sequence.Length);
        }
        Assert.Equal(model.ToArray(), chain.Sequence.ToArray());
        var blocks = new List<ArraySegment<byte>>();
        Assert.True(chain.Gather(blocks, int.MaxValue));
        Assert.Equal(model.ToArray(), blocks.SelectMany(b => b).ToArray());
        chain.Clear();
        pool.AssertNothingRented();
    }

    [Fact]
    public void Gather_stops_at_the_most_it_may_list()
    {
        var pool = new TrackingArrayPool();
        var chain = new BufferChain(pool);
        for (int i = 0; i < 3; i++) chain.Append(pool.Rent(10), 10);
        var blocks = new List<ArraySegment<byte>>();
        Assert.False(chain.Gather(blocks, 2));
        Assert.Equal(2, blocks.Count);
        chain.Consume(25);
        blocks.Clear();
        Assert.True(chain.Gather(blocks, 2));
        Assert.Equal(5, Assert.Single(blocks).Count);
        chain.Clear();
        pool.AssertNothingRented();
    }

    [Fact]
    public void More_than_was_given_out_or_written_is_refused()
    {
        var chain = new BufferChain(ArrayPool<byte>.Shared);
        Assert.Throws<InvalidOperationException>(() => chain.Advance(1));
        int room = chain.GetMemory(5).Length;
        Assert.Throws<InvalidOperationException>(() => chain.Advance(room + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => chain.Consume(1));
        chain.Clear();
    }
}
