using System.Text;
using FastChat.Handshake;
using FastChat.TestKit;

namespace FastChat.Core.Tests.Handshake;

/// <summary>Heads for tests, and their replay in every cut.</summary>
internal static class Heads
{
    public const string SampleKey = "dGhlIHNhbXBsZSBub25jZQ==";
    public const string SampleAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    /// <summary>The lines of a proper handshake.</summary>
    public static readonly string[] Upgrade =
    [
        "GET /chat HTTP/1.1", "Host: server.example", "Upgrade: websocket", "Connection: Upgrade",
        $"Sec-WebSocket-Key: {SampleKey}", "Sec-WebSocket-Version: 13",
    ];

    /// <summary>A proper handshake with further lines.</summary>
    public static byte[] UpgradeWith(params string[] more) => Of([.. Upgrade, .. more]);

    /// <summary>A proper handshake without the lines that begin so, and with others for them.</summary>
    public static byte[] UpgradeBut(string without, params string[] instead) =>
        Of([.. Upgrade.Where(line => !line.StartsWith(without, StringComparison.Ordinal)), .. instead]);

    /// <summary>A proper handshake with another request line.</summary>
    public static byte[] UpgradeTo(string requestLine) => Of([requestLine, .. Upgrade[1..]]);

    /// <summary>A request that is no upgrade, with further lines.</summary>
    public static byte[] PlainWith(params string[] more) => Of(["GET / HTTP/1.1", "Host: h", .. more]);

    /// <summary>Lines, CR LF behind each, and the empty line; a character is a byte.</summary>
    public static byte[] Of(params string[] lines) => Encoding.Latin1.GetBytes(string.Concat(lines.Select(line => line + "\r\n")) + "\r\n");

    /// <summary>
    /// Reads the head whole, split at every index, byte by byte and as it drips in, and sees that all agree, that nothing stays rented,
    /// and that what follows the head is left alone.
    /// </summary>
    public static HandshakeError Replay(byte[] head, Action<HttpRequestHead>? check = null, HttpHeadLimits? limits = null) =>
        Replay<HttpRequestHead>(HttpRequestHead.Rent, head, check, limits ?? HttpHeadLimits.Default);

    public static HandshakeError ReplayResponse(byte[] head, Action<HttpResponseHead>? check = null) =>
        Replay(pool => new HttpResponseHead(pool), head, check, HttpHeadLimits.Default);

    private static HandshakeError Replay<T>(Func<TrackingArrayPool, T> create, byte[] head, Action<T>? check, HttpHeadLimits limits)
        where T : HttpHead, IDisposable
    {
        var pool = new TrackingArrayPool();
        byte[] followed = [.. head, .. "\x81\x85 what follows"u8];
        var expected = ReadSpan(create(pool), head, head.Length, limits, check);
        Assert.Equal(expected, ReadSpan(create(pool), followed, head.Length, limits, check));
        // Splitting a long head at every index takes seconds; there the drip below has every index as well.
        var cuts = head.Length <= 2048 ? SequenceReplay.Cuts(followed) : [new("chunks of 700", SequenceReplay.Chunks(followed, 700))];
        foreach (var (how, bytes) in cuts)
        {
            using var reader = create(pool);
            var status = reader.TryRead(bytes, limits, out var consumed, out var error);
            Assert.True(expected == error, $"{how}: {error} instead of {expected}");
            Assert.Equal(error == HandshakeError.None ? HeadReadStatus.Complete : HeadReadStatus.Invalid, status);
            long length = bytes.Slice(bytes.Start, consumed).Length;
            Assert.True(length == (status == HeadReadStatus.Complete ? head.Length : 0), $"{how}: {length} bytes consumed");
            if (status == HeadReadStatus.Complete) check?.Invoke(reader);
        }
        foreach (bool byteWise in new[] { false, true })
            if (!byteWise || head.Length <= 1024) Assert.Equal(expected, Drip(create(pool), head, limits, byteWise, check));
        pool.AssertNothingRented();
        return expected;
    }

    private static HandshakeError ReadSpan<T>(T reader, byte[] bytes, int length, HttpHeadLimits limits, Action<T>? check)
        where T : HttpHead, IDisposable
    {
        using (reader)
        {
            var status = reader.TryRead(bytes, limits, out int consumed, out var error);
            Assert.NotEqual(HeadReadStatus.NeedMore, status);
            Assert.Equal(error == HandshakeError.None ? length : 0, consumed);
            if (error == HandshakeError.None) check?.Invoke(reader);
            return error;
        }
    }

    private static HandshakeError Drip<T>(T reader, byte[] head, HttpHeadLimits limits, bool byteWise, Action<T>? check)
        where T : HttpHead, IDisposable
    {
        using (reader)
        {
            foreach (var (how, prefix) in SequenceReplay.Prefixes(head, byteWise))
            {
                var early = reader.TryRead(prefix, limits, out _, out var why);
                Assert.True(early != HeadReadStatus.Complete, how);
                if (early == HeadReadStatus.Invalid) return why;
            }
            var status = reader.TryRead(SequenceReplay.Whole(head), limits, out _, out var error);
            Assert.NotEqual(HeadReadStatus.NeedMore, status);
            if (status == HeadReadStatus.Complete) check?.Invoke(reader);
            return error;
        }
    }
}
