using System.Buffers;
using System.Text;
using BenchmarkDotNet.Attributes;
using FastChat.Benchmarks.Budgets;
using FastChat.Buffers;
using FastChat.Handshake;

namespace FastChat.Benchmarks.Protocol;

/// <summary>A browser's upgrade request read, judged and answered..</summary>
[MemoryDiagnoser]
public class HandshakeBenchmarks
{
    private static readonly byte[] Request = Encoding.ASCII.GetBytes(
        "GET /ws/chat/0190f3c2?token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl HTTP/1.1\r\nHost: chat.example.org\r\n"
        + "Connection: Upgrade\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n"
        + "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n"
        + "Upgrade: websocket\r\nOrigin: https://chat.example.org\r\nSec-WebSocket-Version: 13\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
        + "Accept-Language: en-GB,en;q=0.9\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        + "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n");

    private static readonly byte[] Plain = Encoding.ASCII.GetBytes("GET /health/live HTTP/1.1\r\nHost: chat.example.org\r\nAccept: */*\r\n\r\n");

    private readonly PooledByteBuffer _answer = new(ArrayPool<byte>.Shared);
    private readonly UpgradeRules _rules = new(new OriginPolicy(["https://chat.example.org"]));

    [Benchmark, Budgeted]
    public int Accept()
    {
        using var head = HttpRequestHead.Rent(ArrayPool<byte>.Shared);
        if (head.TryRead(Request, HttpHeadLimits.Default, out _, out _) != HeadReadStatus.Complete
            || WebSocketUpgrade.Validate(head, _rules, out _, out string? subprotocol) != UpgradeVerdict.Accepted) throw new InvalidOperationException();
        UpgradeResponse.WriteAccepted(_answer, head, subprotocol);
        int length = _answer.Length;
        _answer.Clear();
        return length;
    }

    /// <summary>What a request that is for the HTTP server costs before it is handed on.</summary>
    [Benchmark, Budgeted]
    public int RecognisePlainHttp()
    {
        using var head = HttpRequestHead.Rent(ArrayPool<byte>.Shared);
        return head.TryRead(Plain, HttpHeadLimits.Default, out int consumed, out _) == HeadReadStatus.Complete
            && WebSocketUpgrade.Validate(head, _rules, out _, out _) == UpgradeVerdict.NotAnUpgrade ? consumed : throw new InvalidOperationException();
    }
}
