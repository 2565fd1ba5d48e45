using System.Buffers;
using System.IO.Pipelines;
using FastChat.Transport;

namespace FastChat.Core.Tests.Transport;

/// <summary>Bytes that say where in the stream they belong, written and read in random pieces by every way a pipe has.</summary>
internal static class TransportTraffic
{
    /// <summary>The bytes of the stream from <paramref name="from"/> on.</summary>
    public static byte[] Bytes(long from, int count)
    {
        var bytes = new byte[count];
        Fill(bytes, from);
        return bytes;
    }

    public static async Task WriteAsync(PipeWriter writer, int count, int seed)
    {
        var random = new Random(seed);
        for (int sent = 0; sent < count;)
        {
            int size = Math.Min(count - sent, random.Next(3) switch
            {
                0 => random.Next(1, 200),
                1 => random.Next(1, 20_000),
                _ => random.Next(1, 400_000),
            });
            FlushResult result;
            switch (random.Next(3))
            {
                case 0:
                    result = await writer.WriteAsync(Bytes(sent, size));
                    break;
                case 1:
                    Fill(writer.GetSpan(size)[..size], sent);
                    writer.Advance(size);
                    result = await writer.FlushAsync();
                    break;
                default:
                    // Several blocks and no flush: they go out with the next one.
                    for (int part = 0; part < size;)
                    {
                        var room = writer.GetMemory();
                        int n = Math.Min(room.Length, size - part);
                        Fill(room.Span[..n], sent + part);
                        writer.Advance(n);
                        part += n;
                    }
                    result = sent + size == count || random.Next(2) == 0 ? await writer.FlushAsync() : default;
                    break;
            }
            sent += size;
            // A cancelled flush has not waited, but lost nothing; the last one must get everything out.
            while (result.IsCanceled && sent == count) result = await writer.FlushAsync();
            if (result.IsCompleted) return;
        }
    }

    public static async Task ReadAsync(PipeReader reader, int count, int seed, int from = 0)
    {
        var random = new Random(seed);
        long seen = 0;
        for (int taken = 0; taken < count;)
        {
            var result = await reader.ReadAsync();
            var buffer = result.Buffer;
            if (buffer.Length > count - taken) buffer = buffer.Slice(0, count - taken);
            if (result.IsCompleted && buffer.IsEmpty) throw new EndOfStreamException($"The stream ended after {taken} of {count} bytes.");
            Check(buffer, from + taken);
            if (random.Next(4) == 0 && buffer.Length > 1 && !result.IsCompleted)
            {
                // Look at some, take less: the rest comes again. What was seen once cannot be unseen; the last byte is not, or the next
                // read would wait for more.
                long examined = random.NextInt64(Math.Max(1, seen), buffer.Length);
                long consumed = random.NextInt64(0, examined + 1);
                seen = examined - consumed;
                reader.AdvanceTo(buffer.GetPosition(consumed), buffer.GetPosition(examined));
                taken += (int)consumed;
            }
            else
            {
                seen = 0;
                taken += (int)buffer.Length;
                reader.AdvanceTo(buffer.End);
            }
        }
    }

    public static async Task EchoAsync(TransportConnection connection)
    {
        while (true)
        {
            var result = await connection.Input.ReadAsync();
            foreach (var block in result.Buffer) await connection.Output.WriteAsync(block);
            connection.Input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted) return;
        }
    }

    /// <summary>Completes when the operation ends as one may after an abort: with an IOException, or completed, or because its pipe is gone.</summary>
    public static async Task EndsAsync(Task operation)
    {
        try
        {
            await operation;
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
        }
        if (operation is Task<ReadResult> { IsCompletedSuccessfully: true } read) Assert.True(read.Result.IsCompleted);
        if (operation is Task<FlushResult> { IsCompletedSuccessfully: true } flush) Assert.True(flush.Result.IsCompleted);
    }

    private static void Fill(Span<byte> bytes, long from)
    {
        for (int i = 0; i < bytes.Length; i++) bytes[i] = At(from + i);
    }

    private static void Check(ReadOnlySequence<byte> bytes, long from)
    {
        foreach (var block in bytes)
        {
            var span = block.Span;
            for (int i = 0; i < span.Length; i++)
            {
                if (span[i] != At(from + i)) Assert.Fail($"Byte {from + i} of the stream is {span[i]} and not {At(from + i)}.");
            }
            from += span.Length;
        }
    }

    // A period of 251 * 256 * ... so that a block that is lost, repeated or moved does not go unseen.
    private static byte At(long position) => (byte)((position % 251) + (position >> 8) + (position >> 16));
}
