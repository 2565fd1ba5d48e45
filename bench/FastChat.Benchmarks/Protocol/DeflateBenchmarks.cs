using System.Buffers;
using System.Net.WebSockets;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using FastChat.Benchmarks.Budgets;
using FastChat.Benchmarks.Support;
using FastChat.Buffers;
using FastChat.Protocol;
using FastChat.Protocol.Compression;

namespace FastChat.Benchmarks.Protocol;

/// <summary>permessage-deflate of one JSON message each way; the baseline is the in-box WebSocket with the same parameters.</summary>
[MemoryDiagnoser, GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory), CategoriesColumn]
public class DeflateBenchmarks
{
    private readonly PooledByteBuffer _output = new(ArrayPool<byte>.Shared);
    private byte[] _message = [];
    private byte[] _compressed = [];
    private CompressionPool _pool = null!;
    private MessageDeflater _deflater = null!;
    private MessageInflater _inflater = null!;
    private byte[] _buffer = [];
    private WebSocket _inBox = null!;

    [Params(512, 16 * 1024)]
    public int Size { get; set; }

    [Params(false, true)]
    public bool Takeover { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _message = TestFrames.ChatJson(Size);
        _buffer = new byte[_message.Length + 1];
        _pool = new CompressionPool(new PerMessageDeflateOptions());
        var agreed = new PerMessageDeflateParameters(!Takeover, !Takeover, 15, 15);
        _deflater = _pool.CreateDeflater(agreed, isServer: true);
        _inflater = _pool.CreateInflater(agreed, isServer: true);
        using (var first = _pool.CreateDeflater(agreed, isServer: false))
        {
            first.TryCompress(_message, _output);
            _compressed = _output.WrittenSpan.ToArray();
            _output.Clear();
        }
        _inBox = WebSocket.CreateFromStream(new LoopStream(TestFrames.Masked(Opcode.Text, _compressed, compressed: true)), new WebSocketCreationOptions
        {
            IsServer = true,
            KeepAliveInterval = TimeSpan.Zero,
            DangerousDeflateOptions = new WebSocketDeflateOptions { ServerContextTakeover = Takeover, ClientContextTakeover = Takeover },
        });
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _inBox.Dispose();
        _deflater.Dispose();
        _inflater.Dispose();
        _pool.Dispose();
    }

    [Benchmark, BenchmarkCategory("compress"), Budgeted]
    public int Compress()
    {
        if (!_deflater.TryCompress(_message, _output)) throw new InvalidOperationException();
        int length = _output.Length;
        _output.Clear();
        return length;
    }

    [Benchmark(Baseline = true), BenchmarkCategory("compress")]
    public bool InBoxCompress() => _inBox.SendAsync(_message.AsMemory(), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None).IsCompletedSuccessfully;

    [Benchmark, BenchmarkCategory("inflate"), Budgeted]
    public int Inflate()
    {
        if (_inflater.Append(_compressed, endOfMessage: true, _output) != InflateStatus.Ok) throw new InvalidOperationException();
        int length = _output.Length;
        _output.Clear();
        return length;
    }

    /// <summary>With the frame around it, whose header and mask cost little beside this.</summary>
    [Benchmark(Baseline = true), BenchmarkCategory("inflate")]
    public int InBoxInflate()
    {
        int length = 0;
        ValueWebSocketReceiveResult part;
        do
        {
            var receiving = _inBox.ReceiveAsync(_buffer.AsMemory(length), CancellationToken.None);
            part = receiving.IsCompletedSuccessfully ? receiving.Result : throw new InvalidOperationException();
            length += part.Count;
        }
        while (!part.EndOfMessage);
        return length == _message.Length ? length : throw new InvalidOperationException();
    }
}
