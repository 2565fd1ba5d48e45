using System.Buffers.Binary;
using System.Text.Unicode;
using FastChat.Compare.Load;
using FastChat.Compare.Runs;

namespace FastChat.Bench.Tests.Load;

public class TrafficTests
{
    [Theory]
    [InlineData(0, 2)]
    [InlineData(125, 2)]
    [InlineData(126, 4)]
    [InlineData(65535, 4)]
    [InlineData(65536, 10)]
    public void Frames_have_the_shortest_length_and_unmask_to_their_payload(int size, int header)
    {
        var traffic = new Traffic(new Scenario("any", "", 1, size) { PerWrite = 3 });
        var batch = traffic.Batch(1);
        for (int message = 0; message < 3; message++)
        {
            var frame = batch.AsSpan(message * batch.Length / 3, batch.Length / 3).ToArray();
            Assert.Equal(header + 4 + size, frame.Length);
            Assert.Equal(0x82, frame[0]);
            long length = header switch
            {
                2 => frame[1] & 127,
                4 => BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(2)),
                _ => BinaryPrimitives.ReadInt64BigEndian(frame.AsSpan(2)),
            };
            Assert.Equal((0x80, size), (frame[1] & 0x80, length));
            byte[] unmasked = [.. frame[(header + 4)..].Select((b, i) => (byte)(b ^ frame[header + i % 4]))];
            Assert.Equal(traffic.Payload(1, message).ToArray(), unmasked);
        }
    }

    [Fact]
    public void Neighbouring_messages_differ()
    {
        var traffic = new Traffic(new Scenario("any", "", 1, 64) { PerWrite = 16 });
        var seen = new HashSet<string>();
        for (int message = 0; message < 16; message++) Assert.True(seen.Add(Convert.ToHexString(traffic.Payload(0, message))));
        Assert.True(seen.Add(Convert.ToHexString(traffic.Payload(1, 0))));
    }

    [Fact]
    public void Two_byte_text_is_valid_and_all_of_it_is_two_byte()
    {
        var traffic = new Traffic(Scenario.Find("text"));
        Assert.Equal(1, traffic.Opcode);
        for (int batch = 0; batch < traffic.Batches; batch++)
        {
            byte[] payload = traffic.Payload(batch, 0).ToArray();
            Assert.True(Utf8.IsValid(payload));
            Assert.DoesNotContain(payload, b => b < 0x80);
        }
    }
}
