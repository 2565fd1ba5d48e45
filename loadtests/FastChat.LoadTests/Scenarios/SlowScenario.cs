using System.Collections.Concurrent;
using System.Net.Sockets;
using FastChat.LoadTests.Load;
using FastChat.LoadTests.Wire;
using FastChat.Transport;

namespace FastChat.LoadTests.Scenarios;

/// <summary>Sockets that read much less than they are sent, beside sockets that keep up.</summary>
internal sealed class SlowScenario : Scenario
{
    // So that the server's side of the connection is soon full, and not this side's buffer.
    private const int ReceiveBufferBytes = 4096;

    private readonly Tabs _tabs;
    private readonly CancellationTokenSource _awake = new();
    private readonly ConcurrentQueue<(ChatLink Link, AnswerTrack Track)> _behind = new();
    private readonly double _bytesPerSecond;
    private WebSocketClient? _client;
    private ChatLink[] _slow = [];

    public SlowScenario(ScenarioContext context) : base(context) => (_tabs, _bytesPerSecond) = (new Tabs(context), context.Settings.Count("read"));

    public static ScenarioDefinition Definition { get; } = new("slow", "Slow readers: tabs that read a trickle beside tabs that keep up")
    {
        Details = "Each session has two tabs: one asks and keeps up, the other reads only so many bytes a second. The first one's latencies show whether the slow one holds " +
            "anything up; the server's memory shows what it costs. When the questions are over the slow ones read on at full speed, and must then have every answer whole, " +
            "in fewer and larger chunks.",
        Latencies =
        [
            new("answer", "in the tab that keeps up: from the moment a question was due to the end of its answer"),
            new("slow", "the same in the slow tab"),
            LatencyInfo.Acknowledged,
            new("first_chunk", "to the first chunk of the answer, in the tab that keeps up"),
            new("chunk", $"in the tab that keeps up: {LatencyInfo.Chunk.Help}"),
        ],
        Settings =
        [
            Setting.Count("users", "Sessions, each with a quick and a slow tab", 20, 50_000),
            Setting.Rate("Questions a second; a server ends a socket that is more than 64 answers behind", "40"),
            Setting.Duration("20s"),
            Setting.Count("read", "Bytes a second that a slow tab reads", 16_384, 1 << 30),
            Setting.Count("chunks", "Chunks of an answer", 40, 1_000),
            Setting.Count("bytes", "Bytes of a chunk; all chunks of an answer together at most 32,000", 700, 30_000),
            Setting.Pace("5ms"),
        ],
        Mistake = s => (long)s.Count("chunks") * s.Count("bytes") > 32_000
            ? "--chunks times --bytes is more than 32,000: a question, which holds its answer, may have 32 KiB."
            : Model.TooMuch(s, s.Rate(), s.Count("users")),
        Sockets = s => 2 * s.Count("users"),
        Server = s => Model.Pace(s.Time("pace")),
        Create = c => new SlowScenario(c),
    };

    public override async Task PrepareAsync(CancellationToken cancellationToken)
    {
        int users = Context.Settings.Count("users");
        await _tabs.OpenAsync(users, connect: true, cancellationToken);
        _client = new WebSocketClient(new WebSocketClientOptions { Connect = ConnectAsync, Limits = new() { PingInterval = Timeout.InfiniteTimeSpan }, TimeProvider = Context.Target.Time });
        _slow = new ChatLink[users];
        for (int i = 0; i < users; i++)
        {
            bool isPlain = Context.Target.SocketOf(_tabs[i].Session, _tabs[i].User).Scheme == "ws";
            _slow[i] = await _tabs.ConnectAsync(_tabs[i], PauseAsync, isPlain ? _client : null, cancellationToken);
        }
    }

    public override async Task OperateAsync(Arrival arrival, long due, CancellationToken cancellationToken)
    {
        int index = arrival.Index % _tabs.Count;
        var tab = _tabs[index];
        await tab.Turn.WaitAsync(cancellationToken);
        try
        {
            var question = _tabs.NextQuestion(tab, Context.Settings.Count("chunks"), Context.Settings.Count("bytes"));
            var timing = _tabs.Timing(due, Context.Settings.Time("pace"));
            var slow = new AnswerTrack(question, timing with { Acknowledged = null, FirstChunk = null, Chunk = null, Answer = Measurements["slow"] });
            _slow[index].Follow(slow);
            _behind.Enqueue((_slow[index], slow));
            var track = new AnswerTrack(question, timing);
            await tab.Link!.AskAsync(track);
            await _tabs.WaitAsync(tab.Link, track, cancellationToken);
        }
        finally
        {
            tab.Turn.Release();
        }
    }

    public override async Task FinishAsync(CancellationToken cancellationToken)
    {
        await _awake.CancelAsync();
        foreach (var (link, track) in _behind)
        {
            try
            {
                await _tabs.WaitAsync(link, track, cancellationToken);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                Measurements.Error($"Slow tab: {OpenLoop.Describe(e)}");
            }
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await _awake.CancelAsync();
        await _tabs.CloseAsync(_slow);
        await _tabs.DisposeAsync();
        if (_client is not null) await _client.DisposeAsync();
        _awake.Dispose();
    }

    private async ValueTask PauseAsync(int bytes) =>
        await Task.Delay(TimeSpan.FromSeconds(bytes / _bytesPerSecond), Context.Target.Time, _awake.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static async ValueTask<TransportConnection> ConnectAsync(Uri uri, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = ReceiveBufferBytes };
        try
        {
            await socket.ConnectAsync(uri.IdnHost, uri.Port, cancellationToken);
            return new SocketTransportConnection(socket, new SocketTransportOptions());
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
