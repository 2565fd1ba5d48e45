using System.Buffers;
using FastChat.Buffers;
using FastChat.TestKit;

namespace FastChat.Core.Tests.Buffers;

public sealed class ReceiveBufferTests : IDisposable
{
    private readonly TrackingArrayPool _pool = new();
    private readonly ReceiveBuffer _buffer;

    public ReceiveBufferTests() => _buffer = new ReceiveBuffer(_pool);

    public void Dispose()
    {
        _buffer.Clear();
        _pool.AssertNothingRented();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Bytes_come_out_in_order_however_they_arrive_and_are_consumed(int seed)
    {
        var random = new Random(seed);
        byte sent = 0;
        byte taken = 0;
        for (int turn = 0; turn < 3000; turn++)
        {
            if (random.Next(3) > 0)
            {
                var room = _buffer.GetMemory().Span;
                int n = random.Next(4) == 0 ? room.Length : random.Next(Math.Min(room.Length, 3000));
                for (int i = 0; i < n; i++) room[i] = sent++;
                _buffer.Commit(n);
            }
            if (random.Next(8) == 0) _buffer.Trim();
            var sequence = _buffer.Sequence;
            Assert.Equal(_buffer.Length, sequence.Length);
            byte expected = taken;
            foreach (var memory in sequence)
            {
                foreach (byte b in memory.Span)
                {
                    if (b != expected++) Assert.Fail($"turn {turn}");
                }
            }
            Assert.Equal(sent, expected);
            long consumed = random.Next(3) == 0 ? sequence.Length : random.NextInt64(sequence.Length + 1);
            long examined = random.NextInt64(consumed, sequence.Length + 1);
            taken += (byte)consumed;
            _buffer.AdvanceTo(sequence.GetPosition(consumed), sequence.GetPosition(examined));
            Assert.Equal(examined < sequence.Length, _buffer.HasUnexamined);
        }
    }

    [Fact]
    public void Nothing_is_held_once_everything_is_consumed_or_a_read_found_nothing()
    {
        Fill(100);
        Assert.Equal(1, _pool.Outstanding);
        _buffer.AdvanceTo(_buffer.Sequence.End, _buffer.Sequence.End);
        Assert.Equal(0, _pool.Outstanding);
        _buffer.GetMemory();
        _buffer.Commit(0);
        Assert.Equal(0, _pool.Outstanding);
        Fill(_buffer.GetMemory().Length);
        _buffer.GetMemory();
        _buffer.Commit(0);
        Assert.Equal(1, _pool.Outstanding);
    }

    [Fact]
    public void Room_grows_while_reads_fill_it_and_shrinks_when_they_do_not()
    {
        int reads = 0;
        for (int received = 0; received < 1 << 20; reads++) received += Fill(_buffer.GetMemory().Length);
        Assert.InRange(reads, 1, 12);
        for (int i = 0; i < 10; i++)
        {
            _buffer.AdvanceTo(_buffer.Sequence.End, _buffer.Sequence.End);
            Fill(10);
        }
        Assert.InRange(_buffer.GetMemory().Length, 1, 2 * ReceiveBuffer.MinBlock);
    }

    [Fact]
    public void A_small_rest_is_kept_in_a_small_block_while_waiting_and_stays_in_one_piece()
    {
        Fill(1000);
        var sequence = _buffer.Sequence;
        _buffer.AdvanceTo(sequence.GetPosition(995), sequence.End);
        _buffer.Trim();
        Assert.Equal(1, _pool.Outstanding);
        Assert.Equal(5, _buffer.Sequence.Length);
        Assert.InRange(_buffer.GetMemory().Length, 1024, int.MaxValue);
        Fill(900);
        Assert.True(_buffer.Sequence.IsSingleSegment);
        Assert.Equal(905, _buffer.Sequence.Length);
    }

    [Fact]
    public void Positions_outside_what_was_read_are_refused()
    {
        Fill(10);
        var sequence = _buffer.Sequence;
        Assert.Throws<InvalidOperationException>(() => _buffer.AdvanceTo(sequence.GetPosition(5), sequence.GetPosition(4)));
        Assert.Throws<InvalidOperationException>(() =>
            _buffer.AdvanceTo(new SequencePosition(sequence.Start.GetObject(), 11), new SequencePosition(sequence.Start.GetObject(), 11)));
        Assert.Throws<InvalidOperationException>(() => _buffer.AdvanceTo(new SequencePosition("", 0), sequence.End));
        _buffer.AdvanceTo(default, default);
        Assert.Equal(10, _buffer.Length);
    }

    private int Fill(int bytes)
    {
        _buffer.GetMemory().Span[..bytes].Fill(7);
        _buffer.Commit(bytes);
        return bytes;
    }
}
