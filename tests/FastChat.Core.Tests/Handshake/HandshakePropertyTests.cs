using System.Buffers;
using System.Text;
using FastChat.Handshake;
using FastChat.TestKit;
using FsCheck;
using FsCheck.Fluent;
using static FastChat.Core.Tests.Handshake.Heads;

namespace FastChat.Core.Tests.Handshake;

public sealed class HandshakePropertyTests
{
    private static readonly string[] Names = ["a", "chat.v1", "X", "b", "mqtt"];

    [Fact]
    public void Random_bytes_end_in_a_verdict()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes =>
        {
            ReadAnything(bytes);
            ReadAnything([.. "GET / HTTP/1.1\r\n"u8, .. bytes, .. "\r\n\r\n"u8]);
            ReadAnything([.. bytes, .. UpgradeWith()]);
            ReadAnything([.. "HTTP/1.1 101\r\n"u8, .. bytes, .. "\r\n\r\n"u8]);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_handshake_with_one_byte_changed_removed_or_added_ends_in_a_verdict_that_no_cut_changes()
    {
        byte[] head = UpgradeWith("Origin: http://o", "Sec-WebSocket-Protocol: a, b", "Content-Length: 0");
        Prop.ForAll(Gen.Choose(0, head.Length - 1).ToArbitrary(), ArbMap.Default.ArbFor<byte>(), (at, value) =>
        {
            byte[] changed = [.. head[..at], value, .. head[(at + 1)..]];
            ReadAnything(changed);
            ReadAnything([.. head[..at], .. head[(at + 1)..]]);
            ReadAnything([.. head[..at], value, .. head[at..]]);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void What_a_client_writes_a_server_reads_and_the_other_way_round()
    {
        var protocols = Gen.SubListOf(Names).ToArbitrary();
        var spoken = Gen.SubListOf(Names).ToArbitrary();
        var path = ArbMap.Default.ArbFor<NonNull<string>>();
        Prop.ForAll(path, protocols, spoken, (text, offered, known) =>
        {
            var pool = new TrackingArrayPool();
            string query = Uri.EscapeDataString(text.Get);
            var options = new ClientHandshakeOptions(offered, "permessage-deflate", [new("X-Header", "value_" + query)]);
            using (var client = new ClientHandshake(new("ws://h:81/p/" + query + "?q=" + query), options, pool))
            using (var head = HttpRequestHead.Rent(pool))
            {
                var request = Written(client.WriteRequest);
                Assert.Equal(HeadReadStatus.Complete, head.TryRead(request, new(1 << 20), out int _, out _));
                Assert.Equal(UpgradeVerdict.Accepted, WebSocketUpgrade.Validate(head, new(null, known), out _, out string? chosen));
                Assert.Equal(known.FirstOrDefault(offered.Contains), chosen);
                Assert.Equal("permessage-deflate", head.GetHeader("sec-websocket-extensions"u8));
                Assert.Equal("value_" + query, head.GetHeader("x-header"u8));
                var pairs = new QueryString(head.Query);
                Assert.True(pairs.MoveTo("q"));
                Assert.Equal(Uri.UnescapeDataString(query), QueryString.Decode(pairs.Value));

                var answer = Written(output => UpgradeResponse.WriteAccepted(output, head, chosen, "permessage-deflate"));
                var status = client.TryRead(SequenceReplay.Chunks(answer, 7), out var consumed);
                Assert.Equal((HeadReadStatus.Complete, ClientHandshakeError.None), (status, client.Error));
                Assert.Equal((chosen, "permessage-deflate"), (client.Subprotocol, client.Extensions));
            }
            pool.AssertNothingRented();
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_query_is_found_again()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>(), ArbMap.Default.ArbFor<NonNull<string>>(), (name, value) =>
        {
            string n = Clean(name.Get), v = Clean(value.Get);
            var pairs = new QueryString(Encoding.ASCII.GetBytes($"other=1&{Uri.EscapeDataString(n)}={Uri.EscapeDataString(v)}&last"));
            Assert.True(pairs.MoveTo(n));
            if (n is not ("other" or "last")) Assert.Equal(v, QueryString.Decode(pairs.Value));
        }).QuickCheckThrowOnFailure();

        // Half a surrogate pair has no UTF-8 to encode.
        static string Clean(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
    }

    private static byte[] Written(Action<IBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads as a server and as a client, whole and byte by byte: no exception, no leak, the same verdict.</summary>
    private static void ReadAnything(byte[] bytes)
    {
        var pool = new TrackingArrayPool();
        var verdicts = new List<string>();
        foreach (var input in new[] { SequenceReplay.Whole(bytes), SequenceReplay.ByteWise(bytes), SequenceReplay.Chunks(bytes, 3) })
        {
            using var head = HttpRequestHead.Rent(pool);
            var status = head.TryRead(input, HttpHeadLimits.Default, out var consumed, out var error);
            if (status == HeadReadStatus.Complete) WebSocketUpgrade.Validate(head, UpgradeRules.None, out error, out _);
            using var client = new ClientHandshake(new("ws://h"), ClientHandshakeOptions.None, pool, "the sample nonce"u8);
            client.TryRead(input, out _);
            verdicts.Add($"{status} {error} {input.Slice(consumed).Length} {client.Error}");
        }
        Assert.Single(verdicts.Distinct());
        pool.AssertNothingRented();
    }
}
