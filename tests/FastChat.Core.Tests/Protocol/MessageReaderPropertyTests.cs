using System.Buffers;
using System.Runtime.InteropServices;
using FastChat.Core.Tests.Protocol.Compression;
using FastChat.Protocol;
using FastChat.Protocol.Compression;
using FsCheck;
using FsCheck.Fluent;

namespace FastChat.Core.Tests.Protocol;

public sealed class MessageReaderPropertyTests
{
    [Theory]
    [InlineData(EndpointRole.Server, false)]
    [InlineData(EndpointRole.Client, false)]
    [InlineData(EndpointRole.Server, true)]
    [InlineData(EndpointRole.Client, true)]
    internal void What_the_other_end_writes_is_read_whatever_the_fragments_and_arrivals(EndpointRole role, bool compressed)
    {
        using var pool = new CompressionPool(new PerMessageDeflateOptions { Threshold = 10 });
        var agreed = new PerMessageDeflateParameters(false, false, 15, 15);
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var random = new Random(seed);
            using var deflater = pool.CreateDeflater(agreed, isServer: role == EndpointRole.Client);
            var (bytes, expected) = RandomStream(random, role, compressed ? deflater : null);
            var replay = new ReaderReplay { Role = role, Inflater = compressed ? () => pool.CreateInflater(agreed, role == EndpointRole.Server) : null };
            foreach (var (joined, fast) in ((bool, bool)[])[(true, true), (true, false), (false, false)])
                Assert.Equal(expected, replay.Read(bytes, RandomCuts(random, bytes.Length), joined, fast).Events);
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(EndpointRole.Server, false)]
    [InlineData(EndpointRole.Client, false)]
    [InlineData(EndpointRole.Server, true)]
    internal void Random_bytes_end_in_acceptance_or_a_named_rejection(EndpointRole role, bool compressed)
    {
        using var pool = new CompressionPool(new PerMessageDeflateOptions());
        var agreed = new PerMessageDeflateParameters(false, false, 12, 12);
        var replay = new ReaderReplay { Role = role, MaxFrame = 300, MaxMessage = 500, Inflater = compressed ? () => pool.CreateInflater(agreed, true) : null };
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), ArbMap.Default.ArbFor<int>(), (noise, seed) =>
        {
            Judge(replay.Everywhere(noise));
            // Frames that are right in front bring the noise to where payloads and fragments are read.
            var random = new Random(seed);
            byte first = (byte)(random.Next(2) * 0x80 | (compressed ? random.Next(2) * 0x40 : 0) | new[] { 0, 1, 1, 1, 2, 8, 9 }[random.Next(7)]);
            byte length = (byte)((role == EndpointRole.Server ? 0x80 : 0) | random.Next(noise.Length + 2));
            Judge(replay.Everywhere([first, length, .. noise]));
            Judge(replay.Everywhere([(byte)(first & 0x7F), length, .. noise, (byte)(first & 0x80), length, .. noise]));
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(EndpointRole.Server)]
    [InlineData(EndpointRole.Client)]
    internal void A_good_stream_with_one_octet_changed_removed_or_added_ends_in_a_verdict_that_no_cut_changes(EndpointRole role)
    {
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), ArbMap.Default.ArbFor<byte>(), (seed, octet) =>
        {
            var random = new Random(seed);
            byte[] bytes = RandomStream(random, role, null, largest: 40).Bytes;
            int at = random.Next(bytes.Length);
            var replay = new ReaderReplay { Role = role, MaxFrame = 1000, MaxMessage = 2000 };
            Judge(replay.Everywhere([.. bytes[..at], octet, .. bytes[(at + 1)..]]));
            Judge(replay.Everywhere([.. bytes[..at], .. bytes[(at + 1)..]]));
            Judge(replay.Everywhere([.. bytes[..at], octet, .. bytes[at..]]));
        }).QuickCheckThrowOnFailure();
    }

    private static void Judge(Reading reading)
    {
        if (reading.FailedAt < 0) return;
        var error = Enum.Parse<FrameError>(reading.Events[^1]["Error:".Length..]);
        Assert.NotEqual(FrameError.None, error);
        Assert.True(CloseFrame.IsSendable((int)FrameErrors.CloseCodeOf(error)));
    }

    /// <summary>Messages in random fragments with control frames among them, as the other end's <see cref="FrameWriter"/> writes them.</summary>
    private static (byte[] Bytes, List<string> Events) RandomStream(Random random, EndpointRole to, MessageDeflater? deflater, int largest = 3000)
    {
        var output = new ArrayBufferWriter<byte>();
        var events = new List<string>();
        for (int i = random.Next(1, 6); i > 0; i--)
        {
            bool text = random.Next(2) == 0;
            byte[] message = text ? Utf8Samples.Exactly(random.Next(largest), random.Next()) : DeflateSamples.Noise(random.Next(largest), random.Next());
            byte[]? compressed = deflater is not null && random.Next(3) > 0 ? DeflateSamples.Compress(deflater, message) : null;
            var rest = (compressed ?? message).AsSpan();
            bool first = true, last;
            do
            {
                MaybeControl(random, to, output, events);
                int length = random.Next(3) == 0 ? rest.Length : random.Next(rest.Length + 1);
                last = length == rest.Length && random.Next(3) > 0;
                Write(random, to, output, first ? text ? Opcode.Text : Opcode.Binary : Opcode.Continuation, rest[..length], last, first && compressed is not null);
                rest = rest[length..];
                first = false;
            }
            while (!last);
            events.Add($"{(text ? "Text" : "Binary")}:{Convert.ToHexString(message)}");
        }
        return (output.WrittenSpan.ToArray(), events);
    }

    private static void MaybeControl(Random random, EndpointRole to, ArrayBufferWriter<byte> output, List<string> events)
    {
        while (random.Next(3) == 0)
        {
            byte[] payload = DeflateSamples.Noise(random.Next(126), random.Next());
            bool ping = random.Next(2) == 0;
            Write(random, to, output, ping ? Opcode.Ping : Opcode.Pong, payload, true, false);
            events.Add($"{(ping ? "Ping" : "Pong")}:{Convert.ToHexString(payload)}");
        }
    }

    private static void Write(Random random, EndpointRole to, ArrayBufferWriter<byte> output, Opcode opcode, ReadOnlySpan<byte> payload, bool fin, bool compressed)
    {
        uint? key = to == EndpointRole.Server ? (uint)random.NextInt64() : null;
        int header = FrameWriter.WriteHeader(output.GetSpan(FrameHeader.MaxLength), opcode, payload.Length, fin, compressed, key);
        output.Advance(header);
        var span = output.GetSpan(payload.Length + 1);
        payload.CopyTo(span);
        if (key is { } k)
        {
            var mask = MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in k));
            for (int i = 0; i < payload.Length; i++) span[i] ^= mask[i & 3];
        }
        output.Advance(payload.Length);
    }

    private static int[] RandomCuts(Random random, int length) =>
        [.. Enumerable.Range(0, random.Next(12)).Select(_ => random.Next(length + 1)).Order()];
}
