using System.Globalization;
using System.Text;

namespace FastChat.Benchmarks.ChatCost;

/// <summary>What the offline model says to "count to 1000", and the frames that carry it: a client can check every byte.</summary>
internal static class Answer
{
    public const int Longest = 1000;

    private static readonly string Id = new('0', 36);

    /// <summary>All of it: "1 2 3 ... 1000". A shorter count is its beginning, but for the space behind the last number.</summary>
    public static readonly byte[] Text = Encoding.UTF8.GetBytes(string.Join(' ', Enumerable.Range(1, Longest)) + " ");

    /// <summary>Where each chunk ends in it; that of number 0 is 0.</summary>
    public static readonly int[] Ends = MakeEnds();

    /// <summary>One frame for each chunk.</summary>
    public static readonly byte[][] Chunks = [.. Enumerable.Range(1, Longest).Select(seq => Encoding.UTF8.GetBytes(
        $$"""{"type":"response_chunk","chunk":"{{Encoding.UTF8.GetString(Text.AsSpan(Ends[seq - 1]..Ends[seq]))}}","message_id":"{{Id}}","seq":{{seq}}}"""))];

    /// <summary>What a message is answered with whose answer is one word: as the chat's, byte for byte in length.</summary>
    public static readonly byte[][] Reply =
    [
        Encoding.UTF8.GetBytes($$"""{"type":"message_received","message_id":"{{Id}}","timestamp":"2026-01-01T00:00:00.000000Z","response_id":"{{Id}}"}"""),
        Encoding.UTF8.GetBytes($$"""{"type":"response_start","message":"Assistant is thinking...","message_id":"{{Id}}","reply_to":"{{Id}}"}"""),
        Encoding.UTF8.GetBytes($$"""{"type":"response_chunk","chunk":"1","message_id":"{{Id}}","seq":1}"""),
        Encoding.UTF8.GetBytes(
            $$$"""{"type":"response_complete","message_id":"{{{Id}}}","timestamp":"2026-01-01T00:00:00.000000Z","full_response":"1","finish_reason":"stop","reply_to":"{{{Id}}}","usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3}}"""),
    ];

    /// <summary>Asks for so many chunks.</summary>
    public static byte[] Question(int chunks) => Encoding.UTF8.GetBytes($$"""{"message":"count to {{chunks}}","message_type":"text"}""");

    private static int[] MakeEnds()
    {
        int[] ends = new int[Longest + 1];
        for (int seq = 1; seq <= Longest; seq++) ends[seq] = ends[seq - 1] + seq.ToString(CultureInfo.InvariantCulture).Length + 1;
        return ends;
    }
}
