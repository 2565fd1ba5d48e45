using System.Buffers.Binary;
using FastChat.Compare.Load;
using FastChat.Compare.Runs;

namespace FastChat.Bench.Tests.Load;

public class EchoReaderTests
{
    private static readonly Scenario Two = new("two", "", 1, 300) { PerWrite = 2 };
    private readonly Traffic _traffic = new(Two);

    private byte[] Message(int batch, int message) => [.. Header(0x82, 300), .. _traffic.Payload(batch, message)];

    private static byte[] Header(byte first, int length)
    {
        if (length < 126) return [first, (byte)length];
        byte[] header = [first, 126, 0, 0];
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)length);
        return header;
    }

    private EchoReader Reader() => new(_traffic, Two.PerWrite);

    [Fact]
    public void Echoes_count_whole_cut_at_every_byte_and_one_byte_at_a_time()
    {
        byte[] bytes = [.. Message(0, 0), .. Message(0, 1), .. Message(1, 0)];
        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            var reader = Reader();
            reader.Read(bytes.AsSpan(0, cut));
            reader.Read(bytes.AsSpan(cut));
            Assert.Equal(3, reader.Messages);
        }
        var slow = Reader();
        foreach (byte one in bytes) slow.Read([one]);
        Assert.Equal(3, slow.Messages);
    }

    [Theory]
    [InlineData(0, 5, true)]
    [InlineData(63, 5, true)]
    [InlineData(4_936, 5, true)]
    [InlineData(4_999, 5, true)]
    [InlineData(2_500, 0, true)]
    [InlineData(2_500, 16, true)]
    [InlineData(2_500, 5, false)]
    public void Long_messages_are_compared_at_both_ends_and_every_16th_throughout(int wrongByte, int after, bool isFound)
    {
        var traffic = new Traffic(new Scenario("long", "", 1, 5_000));
        var reader = new EchoReader(traffic, 1);
        for (int i = 0; i < after; i++) reader.Read([.. Header(0x82, 5_000), .. traffic.Payload(i, 0)]);
        byte[] wrong = [.. Header(0x82, 5_000), .. traffic.Payload(after, 0)];
        wrong[4 + wrongByte] ^= 1;
        if (isFound) Assert.Throws<EchoException>(() => reader.Read(wrong));
        else reader.Read(wrong);
        Assert.Equal(isFound ? after : after + 1, reader.Messages);
    }

    [Fact]
    public void Batches_come_round_again()
    {
        var reader = Reader();
        reader.StartAt(_traffic.Batches - 1);
        reader.Read([.. Message(_traffic.Batches - 1, 0), .. Message(_traffic.Batches - 1, 1), .. Message(0, 0)]);
        Assert.Equal(3, reader.Messages);
    }

    [Fact]
    public void Fragments_and_a_ping_between_them_make_one_message()
    {
        var payload = _traffic.Payload(0, 0);
        var reader = Reader();
        reader.Read([.. Header(0x02, 100), .. payload[..100], 0x89, 2, 7, 8, .. Header(0x00, 0), .. Header(0x80, 200), .. payload[100..]]);
        Assert.Equal(1, reader.Messages);
        Assert.Equal([7, 8], reader.Ping);
    }

    public static TheoryData<string, string> Mistakes => new()
    {
        { "a byte differs", "differs" },
        { "masked", "masks" },
        { "reserved bit", "reserved" },
        { "text", "Opcode 1" },
        { "continuation first", "Opcode 0" },
        { "too long", "longer" },
        { "too short", "shorter" },
        { "long ping", "control" },
        { "ping of less than nothing", "control" },
        { "message of less than nothing", "longer" },
        { "close", "closed with 1011" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void What_is_no_echo_is_an_error(string mistake, string message)
    {
        byte[] wrong = Message(0, 0);
        wrong[^1] ^= 1;
        byte[] bytes = mistake switch
        {
            "a byte differs" => wrong,
            "masked" => [0x82, 0x80, 0, 0, 0, 0],
            "reserved bit" => [0xC2, 0],
            "text" => [0x81, 5],
            "continuation first" => [0x80, 5],
            "too long" => Header(0x82, 301),
            "too short" => [.. Header(0x82, 10), .. _traffic.Payload(0, 0)[..10]],
            "long ping" => Header(0x89, 126),
            "ping of less than nothing" => [0x89, 127, .. Enumerable.Repeat((byte)0xFF, 8)],
            "message of less than nothing" => [0x82, 127, .. Enumerable.Repeat((byte)0xFF, 8)],
            _ => [0x88, 2, 1011 >> 8, 1011 & 255],
        };
        Assert.Contains(message, Assert.Throws<EchoException>(() => Reader().Read(bytes)).Message, StringComparison.Ordinal);
    }
}
