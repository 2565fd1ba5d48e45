using System.Text;
using BenchmarkDotNet.Attributes;
using FastChat.Benchmarks.Budgets;
using FastChat.Benchmarks.Connections;
using FastChat.Benchmarks.Support;
using FastChat.Chat;
using FastChat.Chat.Dialects;
using FastChat.Connections;
using FastChat.Protocol;
using FastChat.Storage;
using FastChat.Transport;

namespace FastChat.Benchmarks.Chat;

/// <summary>
/// 1,000 answers that stream at the same time, each to a socket of its own: the cost of one chunk from the model to the connection, beside
/// sending the same bytes on the same connections without any chat. Both pay the same for the client's end. Pinned to one core, so that
/// the time is the CPU's whatever thread it ran on.
/// </summary>
[MemoryDiagnoser]
public class StreamingBenchmarks
{
    private const int Streams = 1_000;
    private const string Word = "follow the moon, ";

    private readonly List<WebSocketConnection> _connections = [];
    private readonly List<ChatSocket> _sockets = [];
    private readonly SteppedModel _model = new(Word);
    private byte[] _frame = [];
    private ChatBench _chat = null!;
    private WebSocketServer _server = null!;
    private Drain _clients = null!;
    private SingleCore _core = null!;
    private long _expected;
    private int _left;

    public static IEnumerable<EchoTransport> Transports => EchoClient.Transports.Where(t => t != EchoTransport.Sockets);

    [ParamsSource(nameof(Transports))]
    public EchoTransport Transport { get; set; }

    [GlobalSetup]
    public async Task Setup()
    {
        _core = new SingleCore();
        var listener = Transport == EchoTransport.InMemory ? new InMemoryListener() : null;
        _server = new WebSocketServer(new WebSocketServerOptions { Listener = listener, Loops = 1 });
        var opened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _server.Map("/", new Collector(_connections, Streams, opened));
        await _server.StartAsync();
        _clients = listener is not null ? new MemoryDrain(listener, Streams) : new SocketDrain(_server.Port, Streams);
        await opened.Task.WaitAsync(TimeSpan.FromSeconds(30));

        _chat = await ChatBench.OpenAsync(_model);
        for (int i = 0; i < Streams; i++)
        {
            var user = await _chat.AddUserAsync($"user-{i}");
            var socket = await _chat.OpenSocketAsync(ChatDialect.Session, new Peer(_connections[i], this), user);
            _sockets.Add(socket);
            await socket.ReceiveAsync(new(Encoding.UTF8.GetBytes("{\"message\":\"What are tides?\"}")));
        }
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (_model.Waiting < Streams)
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
        _frame = Encoding.UTF8.GetBytes($$"""{"type":"response_chunk","chunk":"{{Word}}","message_id":"{{StoreId.New(DateTimeOffset.UnixEpoch)}}","seq":100}""");
        _expected = await _clients.SettleAsync();
    }

    [GlobalCleanup]
    public async Task Cleanup()
    {
        foreach (var socket in _sockets) await socket.DisposeAsync();
        await _clients.DisposeAsync();
        await _server.DisposeAsync();
        await _chat.DisposeAsync();
        _core.Dispose();
    }

    [Benchmark(OperationsPerInvoke = Streams), Budgeted]
    public void Chunk()
    {
        _left = Streams;
        _model.Step();
        var spin = new SpinWait();
        while (Volatile.Read(ref _left) > 0) spin.SpinOnce(sleep1Threshold: -1);
        _clients.WaitFor(Volatile.Read(ref _expected));
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Streams)]
    public void BareSend()
    {
        foreach (var connection in _connections)
        {
            if (!connection.SendTextAsync(_frame).IsCompletedSuccessfully) throw new InvalidOperationException("The client does not read.");
        }
        _expected += Streams * (FrameWriter.HeaderLength(_frame.Length, masked: false) + _frame.Length);
        _clients.WaitFor(_expected);
    }

    private sealed class Peer(WebSocketConnection connection, StreamingBenchmarks owner) : IChatPeer
    {
        public ValueTask SendTextAsync(ReadOnlyMemory<byte> utf8, CancellationToken cancellationToken = default)
        {
            Interlocked.Add(ref owner._expected, FrameWriter.HeaderLength(utf8.Length, masked: false) + utf8.Length);
            var sending = connection.SendTextAsync(utf8, cancellationToken);
            Interlocked.Decrement(ref owner._left);
            return sending;
        }

        public ValueTask WaitForRoomAsync(CancellationToken cancellationToken = default) => default;

        public ValueTask CloseAsync(int code, string reason) => default;
    }

    private sealed class Collector(List<WebSocketConnection> connections, int expected, TaskCompletionSource opened) : WebSocketHandler
    {
        public override ValueTask OnOpenAsync(WebSocketConnection connection)
        {
            lock (connections)
            {
                connections.Add(connection);
                if (connections.Count == expected) opened.SetResult();
            }
            return default;
        }

        public override ValueTask OnMessageAsync(WebSocketConnection connection, WebSocketMessage message) => default;
    }
}
