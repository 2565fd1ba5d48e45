using System.Net;
using System.Net.Sockets;
using FastChat.Core.Tests.Connections;
using FastChat.TestKit;
using FastChat.Transport;
using FastChat.Transport.Epoll;
using Microsoft.Extensions.Logging;

namespace FastChat.Core.Tests.Transport;

public sealed class DescriptorTableTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(int.MaxValue, 300, int.MaxValue - 300 - 512)]
    [InlineData(65_536, 250, 65_536 - 250 - 512)]
    [InlineData(1024, 24, 875)]
    [InlineData(330, 250, 40)]
    [InlineData(256, 192, 32)]
    public void A_part_of_the_table_is_left_to_the_runtime(int limit, int taken, int room) =>
        Assert.Equal(room, new DescriptorTable(limit, taken, static () => 0).Room);

    [Fact]
    public void With_too_few_descriptors_there_is_no_listening()
    {
        var e = Assert.Throws<IOException>(() => new DescriptorTable(256, 249, static () => 0));
        Assert.Contains("249 of the 256 descriptors", e.Message, StringComparison.Ordinal);
        Assert.Contains("at least 313 are needed", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_newest_descriptor_tells_when_the_table_must_be_asked()
    {
        int asked = 0, lowest = 0;
        var table = new DescriptorTable(300, 100, () => { asked++; return lowest; });
        int ceiling = 100 + table.Room;
        table.Took(ceiling - 1);
        Assert.Equal((true, 0), (table.HasRoom(), asked));
        (lowest, asked) = (ceiling, 0);
        table.Took(ceiling);
        Assert.Equal((false, 1), (table.HasRoom(), asked));
        lowest = ceiling - 1;
        Assert.Equal((true, 2), (table.HasRoom(), asked));
        Assert.Equal((true, 2), (table.HasRoom(), asked));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Connections_wait_while_the_table_is_full_which_is_told_once(bool epoll)
    {
        Assert.SkipUnless(EpollListener.IsSupported, "Elsewhere the kernel gives numbers in no order.");
        var time = new FakeTimeProvider();
        var log = new RecordingLogger();
        int asked = 0, lowest = int.MaxValue;
        // Of 64, and whatever is accepted here has a higher number.
        DescriptorTable Count(Socket listener) => new(64, 0, () => { Interlocked.Increment(ref asked); return Volatile.Read(ref lowest); });
        var endPoint = new IPEndPoint(IPAddress.Loopback, 0);
        await using TransportListener listener = epoll
            ? new EpollListener(endPoint, new EpollOptions { Loops = 1, TimeProvider = time, Logger = log }) { Descriptors = Count }
            : new SocketTransportListener(endPoint, new SocketTransportOptions { TimeProvider = time }, log) { Descriptors = Count };
        var accepted = new List<TransportConnection>();
        listener.Start(connection => { lock (accepted) accepted.Add(connection); });
        Assert.Equal(32, listener.Room);
        int Accepted() { lock (accepted) return accepted.Count; }
        async Task TimePassesUntil(Func<bool> reached)
        {
            for (var deadline = Task.Delay(Patience); !reached(); await Task.Yield())
            {
                Assert.False(deadline.IsCompleted);
                if (time.ArmedTimers > 0) time.Advance(TimeSpan.FromSeconds(1));
            }
        }

        await using var first = await SocketTransport.ConnectAsync(listener.EndPoint).WaitAsync(Patience);
        await using var second = await SocketTransport.ConnectAsync(listener.EndPoint).WaitAsync(Patience);
        await TimePassesUntil(() => Volatile.Read(ref asked) >= 5 && Accepted() > 0);
        Assert.Equal(1, Accepted());
        Assert.Equal(1, log.Lines.Count(r => r.Level == LogLevel.Warning));

        Volatile.Write(ref lowest, 10);
        await TimePassesUntil(() => Accepted() == 2);
        Assert.Equal(1, log.Lines.Count(r => r.Level == LogLevel.Warning));
        Assert.Equal(1, log.Lines.Count(r => r.Level == LogLevel.Information));
        lock (accepted)
        {
            foreach (var connection in accepted) connection.Abort();
        }
    }
}
