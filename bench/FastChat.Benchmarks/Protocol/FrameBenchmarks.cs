using System.Buffers;
using System.Net.WebSockets;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using FastChat.Benchmarks.Budgets;
using FastChat.Benchmarks.Support;
using FastChat.Protocol;

namespace FastChat.Benchmarks.Protocol;

/// <summary>One message of a client read, one of a server written, without a network; the baseline is the in-box WebSocket doing the same.</summary>
[MemoryDiagnoser, GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory), CategoriesColumn]
public class FrameBenchmarks
{
    private readonly MessageReader _reader = new(EndpointRole.Server, 1 << 20, 1 << 20, ArrayPool<byte>.Shared);
    private byte[] _payload = [];
    private byte[] _binary = [];
    private byte[] _text = [];
    private byte[] _buffer = [];
    private WebSocket _inBox = null!;

    [Params(64, 16 * 1024)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _payload = TestFrames.Ascii(Size);
        _binary = TestFrames.Masked(Opcode.Binary, _payload);
        _text = TestFrames.Masked(Opcode.Text, _payload);
        _buffer = new byte[_binary.Length];
        _inBox = WebSocket.CreateFromStream(new LoopStream(_binary), new WebSocketCreationOptions { IsServer = true, KeepAliveInterval = TimeSpan.Zero });
    }

    [GlobalCleanup]
    public void Cleanup() => _inBox.Dispose();

    [Benchmark, BenchmarkCategory("read"), Budgeted]
    public int ReadBinary()
    {
        _binary.CopyTo(_buffer, 0); // the kernel's part; and the masking is undone in place
        return WholeFrame.Read(_buffer, EndpointRole.Server, 1 << 20, out _, out _, out int length) == ReadEvent.Message ? length : throw new InvalidOperationException();
    }

    [Benchmark, BenchmarkCategory("read"), Budgeted]
    public int ReadText()
    {
        _text.CopyTo(_buffer, 0);
        return WholeFrame.Read(_buffer, EndpointRole.Server, 1 << 20, out _, out _, out int length) == ReadEvent.Message ? length : throw new InvalidOperationException();
    }

    /// <summary>The way of everything that is not one whole frame in one piece.</summary>
    [Benchmark, BenchmarkCategory("read"), Budgeted]
    public long ReadSequence()
    {
        _binary.CopyTo(_buffer, 0);
        var input = new ReadOnlySequence<byte>(_buffer);
        return _reader.Read(ref input, out var payload) == ReadEvent.Message ? payload.Length : throw new InvalidOperationException();
    }

    [Benchmark(Baseline = true), BenchmarkCategory("read")]
    public int InBoxRead()
    {
        int length = 0;
        ValueWebSocketReceiveResult part;
        do
        {
            var receiving = _inBox.ReceiveAsync(_buffer.AsMemory(), CancellationToken.None);
            part = receiving.IsCompletedSuccessfully ? receiving.Result : throw new InvalidOperationException();
            length += part.Count;
        }
        while (!part.EndOfMessage);
        return length;
    }

    [Benchmark, BenchmarkCategory("write"), Budgeted]
    public int Write()
    {
        int header = FrameWriter.WriteHeader(_buffer, Opcode.Binary, _payload.Length);
        _payload.CopyTo(_buffer.AsSpan(header));
        return header + _payload.Length;
    }

    [Benchmark(Baseline = true), BenchmarkCategory("write")]
    public bool InBoxWrite() => _inBox.SendAsync(_payload.AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None).IsCompletedSuccessfully;
}
