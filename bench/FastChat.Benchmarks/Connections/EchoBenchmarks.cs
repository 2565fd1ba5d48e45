using BenchmarkDotNet.Attributes;
using FastChat.Benchmarks.Budgets;
using FastChat.Benchmarks.Support;
using FastChat.Protocol;

namespace FastChat.Benchmarks.Connections;

/// <summary>
/// One message there and back over each transport, handler and all. Over sockets the time is mostly the kernel's and its waking of threads:
/// FastChat.Compare measures that better; here the allocations count.
/// </summary>
[MemoryDiagnoser]
public class EchoBenchmarks
{
    private byte[] _frame = [];
    private int _answer;
    private EchoClient _sync = null!;
    private EchoClient _pending = null!;
    private readonly PendingEcho _handler = new();
    private InBoxEcho _inBox = null!;

    public static IEnumerable<EchoTransport> Transports => EchoClient.Transports;

    [ParamsSource(nameof(Transports))]
    public EchoTransport Transport { get; set; }

    [Params(64, 16 * 1024)]
    public int Size { get; set; }

    [GlobalSetup]
    public async Task Setup()
    {
        _frame = TestFrames.Masked(Opcode.Text, TestFrames.Ascii(Size));
        _answer = TestFrames.Answer(Size);
        _sync = await EchoClient.OpenAsync(Transport, "sync", server => server.Map("/sync", (connection, message) => connection.SendAsync(message)));
        _pending = await EchoClient.OpenAsync(Transport, "pending", server => server.Map("/pending", _handler.EchoAsync));
        _inBox = new InBoxEcho(Transport);
    }

    [GlobalCleanup]
    public async Task Cleanup()
    {
        await _sync.DisposeAsync();
        await _pending.DisposeAsync();
        await _inBox.DisposeAsync();
    }

    /// <summary>The handler completes at once.</summary>
    [Benchmark, Budgeted]
    public void Sync()
    {
        _sync.Write(_frame);
        _sync.Read(_answer);
    }

    /// <summary>The handler awaits something that another thread completes, and sends from there.</summary>
    [Benchmark, Budgeted]
    public void Pending()
    {
        _pending.Write(_frame);
        _handler.Release();
        _pending.Read(_answer);
    }

    [Benchmark(Baseline = true)]
    public void InBox() => _inBox.RoundTrip(_frame, _answer);
}
