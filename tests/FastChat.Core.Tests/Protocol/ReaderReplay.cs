using System.Buffers;
using FastChat.Protocol;
using FastChat.Protocol.Compression;
using FastChat.TestKit;

namespace FastChat.Core.Tests.Protocol;

/// <summary>What a reader made of some bytes.</summary>
/// <param name="Events">"Text:68656C6C6F", "Ping:", "Error:ReservedBits", in order.</param>
/// <param name="FailedAt">How many bytes it had been given when it failed; -1 where it did not.</param>
internal sealed record Reading(IReadOnlyList<string> Events, int FailedAt)
{
    public override string ToString() => $"[{string.Join(", ", Events.Select(e => e.Length > 60 ? $"{e[..60]}... ({e.Length})" : e))}] failed at {FailedAt}";
}

/// <summary>
/// Feeds bytes to a <see cref="MessageReader"/> as a connection does: what it has not consumed stays in the memory where it was received,
/// since the reader unmasks in place, and comes again with more behind it.
/// </summary>
internal sealed class ReaderReplay
{
    public EndpointRole Role { get; init; } = EndpointRole.Server;

    public long MaxFrame { get; init; } = 1 << 20;

    public long MaxMessage { get; init; } = 1 << 20;

    /// <summary>Makes what inflates; null without the extension.</summary>
    public Func<MessageInflater>? Inflater { get; init; }

    /// <summary>Where the last reading rented from: all is back there.</summary>
    public TrackingArrayPool Pool { get; private set; } = new();

    /// <summary>
    /// Reads the bytes whole, split at every index and one by one, in one piece of memory (with the short way for whole frames and without)
    /// and in a piece an arrival; every reading must be the same but for when it failed. Returns the one byte by byte.
    /// </summary>
    public Reading Everywhere(byte[] bytes)
    {
        var bytewise = Read(bytes, [.. Enumerable.Range(1, Math.Max(0, bytes.Length - 1))], joined: true, fast: false);
        // Long inputs are split where headers can be, and here and there.
        int step = bytes.Length <= 300 ? 1 : bytes.Length / 50;
        foreach (var (joined, fast) in ((bool, bool)[])[(true, false), (true, true), (false, false)])
        {
            Compare(bytewise, Read(bytes, [], joined, fast), $"whole, joined {joined}, fast {fast}");
            Compare(bytewise, Read(bytes, [.. Enumerable.Range(1, Math.Max(0, bytes.Length - 1))], joined, fast), $"byte by byte, joined {joined}, fast {fast}");
            for (int cut = 1; cut < bytes.Length; cut += cut < 32 ? 1 : step)
                Compare(bytewise, Read(bytes, [cut], joined, fast), $"split at {cut}, joined {joined}, fast {fast}");
        }
        return bytewise;
    }

    /// <summary>The same, and that the outcome is this one.</summary>
    public Reading Expect(byte[] bytes, params string[] events)
    {
        var reading = Everywhere(bytes);
        Assert.Equal(events, reading.Events);
        return reading;
    }

    /// <summary>Reads bytes that arrive in pieces.</summary>
    /// <param name="bytes">All of them.</param>
    /// <param name="cuts">Where one arrival ends and the next begins, ascending.</param>
    /// <param name="joined">Whether arrivals gather in one piece of memory, or each lies in its own.</param>
    /// <param name="fast">Whether to try <see cref="WholeFrame"/> first, as a connection does.</param>
    public Reading Read(byte[] bytes, ReadOnlySpan<int> cuts, bool joined, bool fast)
    {
        Pool = new TrackingArrayPool();
        using var inflater = Inflater?.Invoke();
        using var reader = new MessageReader(Role, MaxFrame, MaxMessage, Pool, inflater);
        var reading = Feed(reader, bytes, cuts, joined, fast);
        reader.Dispose();
        Pool.AssertNothingRented();
        return reading;
    }

    private Reading Feed(MessageReader reader, byte[] bytes, ReadOnlySpan<int> cuts, bool joined, bool fast)
    {
        var events = new List<string>();
        // What has not arrived yet must not be looked at: it is 0xEE.
        byte[] memory = new byte[bytes.Length];
        memory.AsSpan().Fill(0xEE);
        var pieces = new List<byte[]>();
        int consumed = 0, arrived = 0;
        for (int i = 0; i <= cuts.Length; i++)
        {
            int upTo = i == cuts.Length ? bytes.Length : cuts[i];
            bytes.AsSpan(arrived..upTo).CopyTo(memory.AsSpan(arrived));
            pieces.Add(bytes[arrived..upTo]);
            arrived = upTo;
            if (fast)
            {
                while (consumed < arrived && reader.IsIdle
                    && WholeFrame.Read(memory.AsSpan(consumed..arrived), Role, (int)Math.Min(MaxFrame, MaxMessage), out var opcode, out int start, out int length) is var whole and not ReadEvent.NeedMore)
                {
                    events.Add(Describe(whole, opcode, FrameError.TextInvalid, new ReadOnlySequence<byte>(memory, consumed + start, length)));
                    if (whole == ReadEvent.Error) return new(events, arrived);
                    consumed += start + length;
                }
            }
            var input = joined ? new ReadOnlySequence<byte>(memory, consumed, arrived - consumed) : SequenceReplay.Join(pieces).Slice(consumed);
            while (true)
            {
                var found = reader.Read(ref input, out var payload);
                if (found == ReadEvent.NeedMore) break;
                events.Add(Describe(found, reader.MessageOpcode, reader.Error, payload));
                if (found == ReadEvent.Error) return new(events, arrived);
            }
            consumed = arrived - (int)input.Length;
            reader.Release();
        }
        return new(events, -1);
    }

    private static string Describe(ReadEvent found, Opcode opcode, FrameError error, in ReadOnlySequence<byte> payload) => found switch
    {
        ReadEvent.Error => $"Error:{error}",
        ReadEvent.Message => $"{opcode}:{Convert.ToHexString(payload.ToArray())}",
        _ => $"{found}:{Convert.ToHexString(payload.ToArray())}",
    };

    private void Compare(Reading expected, Reading actual, string how)
    {
        if (!expected.Events.Select(Verdict).SequenceEqual(actual.Events.Select(Verdict))) Assert.Fail($"Read {how}: {actual}; byte by byte: {expected}");
    }

    /// <summary>zlib may find its input wrong before it hands out text that is wrong too: with compression only the close code is certain.</summary>
    private string Verdict(string e) =>
        Inflater is not null && e.StartsWith("Error:", StringComparison.Ordinal) ? FrameErrors.CloseCodeOf(Enum.Parse<FrameError>(e[6..])).ToString() : e;
}
