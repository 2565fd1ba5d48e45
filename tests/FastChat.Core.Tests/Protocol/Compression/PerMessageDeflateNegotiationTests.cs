using System.Globalization;
using FastChat.Protocol.Compression;
using static FastChat.Protocol.Compression.PerMessageDeflateNegotiation;

namespace FastChat.Core.Tests.Protocol.Compression;

public sealed class PerMessageDeflateNegotiationTests
{
    private static readonly PerMessageDeflateOptions Keeping = new() { ServerContextTakeover = true, ClientContextTakeover = true };

    [Theory]
    [InlineData("permessage-deflate; surprise")]
    [InlineData("permessage-deflate; server_max_window_bits=7")]
    [InlineData("permessage-deflate; server_max_window_bits=16")]
    [InlineData("permessage-deflate; server_max_window_bits=08")]
    [InlineData("permessage-deflate; server_max_window_bits=1")]
    [InlineData("permessage-deflate; server_max_window_bits=100")]
    [InlineData("permessage-deflate; server_max_window_bits=\"\"")]
    [InlineData("permessage-deflate; server_max_window_bits")]
    [InlineData("permessage-deflate; server_max_window_bits=10; server_max_window_bits=10")]
    [InlineData("permessage-deflate; client_max_window_bits=16")]
    [InlineData("permessage-deflate; client_max_window_bits=7")]
    [InlineData("permessage-deflate; client_max_window_bits=ten")]
    [InlineData("permessage-deflate; client_max_window_bits; client_max_window_bits=10")]
    [InlineData("permessage-deflate; server_no_context_takeover=1")]
    [InlineData("permessage-deflate; client_no_context_takeover=\"\"")]
    [InlineData("permessage-deflate; client_no_context_takeover; client_no_context_takeover")]
    [InlineData("permessage-deflate; server_no_context_takeover; server_no_context_takeover")]
    [InlineData("permessage-deflate; Server_No_Context_Takeover")]
    [InlineData("x-webkit-deflate-frame")]
    [InlineData("x-unknown; a=1; b=\"23\"; c")]
    [InlineData("x-unknown; server_max_window_bits=10")]
    [InlineData("")]
    public void An_offer_that_is_not_ours_is_declined_and_the_next_one_tried(string offer)
    {
        Assert.Equal(NegotiationResult.Declined, Accept([offer], Keeping, out var none, out string? nothing));
        Assert.Null(nothing);
        Assert.Equal(default, none);
        foreach (string[] offers in new string[][] { [offer + ", permessage-deflate"], [offer, "permessage-deflate"] })
        {
            Assert.Equal(NegotiationResult.Agreed, Accept(offers, Keeping, out var agreed, out string? answer));
            Assert.Equal("permessage-deflate", answer);
            Assert.Equal(new PerMessageDeflateParameters(false, false, 15, 15), agreed);
        }
    }

    [Theory]
    [InlineData("permessage-deflate; ; =,,\"")]
    [InlineData("permessage-deflate, a b")]
    [InlineData("permessage-deflate; client_max_window_bits=")]
    public void A_header_that_does_not_parse_is_invalid_wherever_it_stands(string header)
    {
        foreach (PerMessageDeflateOptions? options in new[] { Keeping, null })
        {
            Assert.Equal(NegotiationResult.Invalid, Accept([header], options, out _, out _));
            Assert.Equal(NegotiationResult.Invalid, Accept(["permessage-deflate", header], options, out var agreed, out string? answer));
            Assert.Null(answer);
            Assert.Equal(default, agreed);
        }
    }

    [Theory]
    [InlineData("permessage-deflate; client_max_window_bits=\"10\"", "permessage-deflate; client_max_window_bits=10")]
    [InlineData("permessage-deflate;client_max_window_bits = \"1\\0\"", "permessage-deflate; client_max_window_bits=10")]
    [InlineData("permessage-deflate; client_max_window_bits", "permessage-deflate")]
    [InlineData("permessage-deflate; client_max_window_bits=15", "permessage-deflate")]
    [InlineData("permessage-deflate; server_max_window_bits=15", "permessage-deflate; server_max_window_bits=15")]
    [InlineData("permessage-deflate; server_max_window_bits=8, permessage-deflate", "permessage-deflate; server_max_window_bits=8")]
    [InlineData("permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover")]
    public void Answers_are_as_short_as_the_RFC_lets_them_be(string offer, string expected)
    {
        Assert.Equal(NegotiationResult.Agreed, Accept([offer], Keeping, out _, out string? answer));
        Assert.Equal(expected, answer);
    }

    [Fact]
    public void By_default_no_window_is_kept()
    {
        Assert.Equal(NegotiationResult.Agreed, Accept(["permessage-deflate; client_max_window_bits"], new(), out var agreed, out string? answer));
        Assert.Equal("permessage-deflate; server_no_context_takeover; client_no_context_takeover", answer);
        Assert.Equal(new PerMessageDeflateParameters(true, true, 15, 15), agreed);
        Assert.Equal("permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits", Offer(new()));
    }

    [Fact]
    public void A_server_that_limits_the_clients_window_passes_over_clients_that_cannot_be_told()
    {
        var options = new PerMessageDeflateOptions { ClientMaxWindowBits = 11 };
        Assert.Equal(NegotiationResult.Declined, Accept(["permessage-deflate"], options, out _, out _));
        Accept(["permessage-deflate, permessage-deflate; client_max_window_bits"], options, out var agreed, out string? answer);
        Assert.Equal(11, agreed.ClientMaxWindowBits);
        Assert.Contains("client_max_window_bits=11", answer, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_options_nothing_is_offered_and_nothing_accepted()
    {
        Assert.Null(Offer(null));
        Assert.Equal(NegotiationResult.Declined, Accept(["permessage-deflate"], null, out _, out _));
        Assert.Equal(NegotiationResult.Declined, Accept([], new(), out _, out _));
        Assert.Equal(NegotiationResult.Declined, CheckAnswer([], null, out _));
        Assert.Equal(NegotiationResult.Declined, CheckAnswer([], new(), out _));
        Assert.Equal(NegotiationResult.Invalid, CheckAnswer(["permessage-deflate"], null, out _));
    }

    [Fact]
    public void A_server_answers_every_offer_as_section_7_1_allows()
    {
        foreach (PerMessageDeflateOptions options in EveryOptions())
            foreach (Header offer in Header.Every())
            {
                var result = Accept([offer.ToString()], options, out var agreed, out string? text);
                if (options.ClientMaxWindowBits < 15 && offer.ClientBits is null)
                {
                    Assert.Equal(NegotiationResult.Declined, result);
                    continue;
                }
                Assert.Equal(NegotiationResult.Agreed, result);
                Header answer = Header.Parse(text!);
                Assert.True(answer.ServerNo || (!offer.ServerNo && options.ServerContextTakeover));
                Assert.Equal(agreed.ServerNoContextTakeover, answer.ServerNo);
                Assert.True(answer.ClientNo || (!offer.ClientNo && options.ClientContextTakeover));
                Assert.Equal(agreed.ClientNoContextTakeover, answer.ClientNo);
                Assert.True(offer.ServerBits is null || answer.ServerBits <= offer.ServerBits);
                Assert.Equal(agreed.ServerMaxWindowBits, answer.ServerBits ?? 15);
                Assert.InRange(agreed.ServerMaxWindowBits, 8, options.ServerMaxWindowBits);
                if (answer.ClientBits is { } bits)
                {
                    Assert.NotNull(offer.ClientBits);
                    Assert.InRange(bits, 8, offer.ClientBits == 0 ? 15 : offer.ClientBits.Value);
                }
                Assert.Equal(agreed.ClientMaxWindowBits, answer.ClientBits ?? 15);
                Assert.InRange(agreed.ClientMaxWindowBits, 8, options.ClientMaxWindowBits);
            }
    }

    [Fact]
    public void A_client_accepts_exactly_the_answers_that_section_7_1_allows()
    {
        foreach (PerMessageDeflateOptions options in EveryOptions())
        {
            Header offer = Header.Parse(Offer(options)!);
            foreach (Header answer in Header.Every())
            {
                bool fits = (answer.ServerNo || !offer.ServerNo)
                    && (offer.ServerBits is null || answer.ServerBits <= offer.ServerBits)
                    && answer.ClientBits != 0
                    && !(answer.ClientBits > (offer.ClientBits == 0 ? 15 : offer.ClientBits));
                var result = CheckAnswer([answer.ToString()], options, out var agreed);
                Assert.Equal(fits ? NegotiationResult.Agreed : NegotiationResult.Invalid, result);
                if (!fits)
                {
                    Assert.Equal(default, agreed);
                    continue;
                }
                Assert.Equal(answer.ServerNo, agreed.ServerNoContextTakeover);
                Assert.Equal(answer.ClientNo || offer.ClientNo, agreed.ClientNoContextTakeover);
                Assert.Equal(answer.ServerBits ?? 15, agreed.ServerMaxWindowBits);
                Assert.Equal(answer.ClientBits ?? options.ClientMaxWindowBits, agreed.ClientMaxWindowBits);
            }
        }
    }

    [Fact]
    public void Our_client_and_our_server_agree_whatever_their_options()
    {
        foreach (PerMessageDeflateOptions client in EveryOptions())
            foreach (PerMessageDeflateOptions server in EveryOptions())
            {
                Assert.Equal(NegotiationResult.Agreed, Accept([Offer(client)!], server, out var atServer, out string? answer));
                Assert.Equal(NegotiationResult.Agreed, CheckAnswer([answer!], client, out var atClient));
                Assert.Equal(atServer, atClient);
                Assert.Equal(Math.Min(client.ServerMaxWindowBits, server.ServerMaxWindowBits), atClient.ServerMaxWindowBits);
                Assert.Equal(Math.Min(client.ClientMaxWindowBits, server.ClientMaxWindowBits), atClient.ClientMaxWindowBits);
                Assert.Equal(client.ServerContextTakeover && server.ServerContextTakeover, !atClient.ServerNoContextTakeover);
                Assert.Equal(client.ClientContextTakeover && server.ClientContextTakeover, !atClient.ClientNoContextTakeover);
            }
    }

    [Theory]
    [InlineData("permessage-deflate; surprise")]
    [InlineData("permessage-deflate; server_max_window_bits=16")]
    [InlineData("permessage-deflate; server_max_window_bits")]
    [InlineData("permessage-deflate; client_max_window_bits")]
    [InlineData("permessage-deflate; client_no_context_takeover; client_no_context_takeover")]
    [InlineData("permessage-deflate, permessage-deflate")]
    [InlineData("permessage-deflate, x-unknown")]
    [InlineData("x-unknown")]
    [InlineData("permessage-deflate;")]
    [InlineData("a b")]
    public void A_client_fails_on_other_answers(string answer) => Assert.Equal(NegotiationResult.Invalid, CheckAnswer([answer], Keeping, out _));

    [Fact]
    public void A_client_fails_on_a_second_answer_in_a_second_header() =>
        Assert.Equal(NegotiationResult.Invalid, CheckAnswer(["permessage-deflate", "permessage-deflate"], Keeping, out _));

    private static IEnumerable<PerMessageDeflateOptions> EveryOptions() =>
        from serverKeeps in new[] { false, true }
        from clientKeeps in new[] { false, true }
        from serverBits in Enumerable.Range(8, 8)
        from clientBits in Enumerable.Range(8, 8)
        select new PerMessageDeflateOptions
        {
            ServerContextTakeover = serverKeeps,
            ClientContextTakeover = clientKeeps,
            ServerMaxWindowBits = serverBits,
            ClientMaxWindowBits = clientBits,
        };

    /// <summary>An offer or an answer, written and read without the code under test; client bits of 0 have no value.</summary>
    private sealed record Header(bool ServerNo, bool ClientNo, int? ServerBits, int? ClientBits)
    {
        private static readonly int?[] Bits = [null, 8, 9, 10, 11, 12, 13, 14, 15];

        public static IEnumerable<Header> Every() =>
            from serverNo in new[] { false, true }
            from clientNo in new[] { false, true }
            from serverBits in Bits
            from clientBits in Bits.Append(0)
            select new Header(serverNo, clientNo, serverBits, clientBits);

        public static Header Parse(string value)
        {
            string[] parts = value.Split("; ");
            Assert.Equal("permessage-deflate", parts[0]);
            Assert.Equal(parts.Length, parts.Distinct().Count());
            int? Find(string name) => parts.Contains(name)
                ? 0
                : parts.Where(p => p.StartsWith(name + "=", StringComparison.Ordinal))
                    .Select(p => (int?)int.Parse(p[(name.Length + 1)..], CultureInfo.InvariantCulture)).SingleOrDefault();
            return new(
                parts.Contains("server_no_context_takeover"),
                parts.Contains("client_no_context_takeover"),
                Find("server_max_window_bits"),
                Find("client_max_window_bits"));
        }

        public override string ToString()
        {
            string value = "permessage-deflate";
            if (ClientBits is { } bits) value += bits == 0 ? "; client_max_window_bits" : $"; client_max_window_bits={bits}";
            if (ServerBits is not null) value += $"; server_max_window_bits={ServerBits}";
            if (ClientNo) value += "; client_no_context_takeover";
            if (ServerNo) value += "; server_no_context_takeover";
            return value;
        }
    }
}
