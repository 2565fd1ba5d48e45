using System.Globalization;
using FastChat.LoadTests.Load;
using FastChat.LoadTests.Target;
using FastChat.LoadTests.Wire;

namespace FastChat.LoadTests.Scenarios;

/// <summary>A user with a session, and the socket that is on it.</summary>
internal sealed class Tab(ChatUser user, SessionIn session) : IDisposable
{
    private int _asked;

    public ChatUser User => user;

    public SessionIn Session => session;

    public ChatLink? Link { get; set; }

    /// <summary>A user asks one thing at a time. Waiting for it is part of the latency, which counts from when the question was due.</summary>
    public SemaphoreSlim Turn { get; } = new(1, 1);

    /// <summary>A tag that no other question has.</summary>
    public string NextTag() => string.Create(CultureInfo.InvariantCulture, $"{user.Name}-{Interlocked.Increment(ref _asked)}");

    public void Dispose() => Turn.Dispose();
}

/// <summary>Makes and keeps a scenario's users, sessions and sockets.</summary>
internal sealed class Tabs(ScenarioContext context) : IAsyncDisposable
{
    // Enough to keep a server busy, few enough not to be a storm of their own.
    private const int AtATime = 64;

    // Closing handshakes may take so long; what is still open then is cut.
    private static readonly TimeSpan ClosingTakes = TimeSpan.FromSeconds(10);

    private Tab[] _all = [];

    public int Count => _all.Length;

    public Tab this[int index] => _all[index % _all.Length];

    private ChatTarget Target => context.Target;

    /// <summary>Signs users in, opens a session for each, and connects a socket to it where wanted.</summary>
    public async Task OpenAsync(int users, bool connect, CancellationToken cancellationToken)
    {
        if (users > Target.Tokens.MostUsers)
            throw new LoadException($"This scenario needs {users} users, and --token is one user's: give --secret (the server's Auth:Secret) instead.");
        _all = new Tab[users];
        await Parallel.ForAsync(0, users, new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellationToken }, async (i, stop) =>
        {
            var user = await Target.SignInAsync(string.Create(CultureInfo.InvariantCulture, $"{context.Tag}-{i}"), stop);
            var tab = _all[i] = new Tab(user, await Target.OpenSessionAsync(user, stop));
            if (connect) tab.Link = await ConnectAsync(tab, cancellationToken: stop);
        });
    }

    /// <summary>Another socket on a tab's session.</summary>
    public Task<ChatLink> ConnectAsync(Tab tab, Func<int, ValueTask>? pause = null, WebSocketClient? client = null, CancellationToken cancellationToken = default) =>
        ChatLink.ConnectAsync(client ?? Target.Sockets, Target.SocketOf(tab.Session, tab.User), context.Measurements, Target.Time, Target.Timeout, pause, cancellationToken);

    public Question NextQuestion(Tab tab, int chunks, int bytes = 0) => Question.Repeat(tab.NextTag(), chunks, bytes, Target.AnyModel);

    /// <summary>Times against a moment, in the metrics that the scenario has of those with the usual names.</summary>
    public Timing Timing(long due, TimeSpan pace) => new(context.Measurements, Target.Time, due)
    {
        Pace = pace,
        Acknowledged = context.Measurements.Find("ack"),
        FirstChunk = context.Measurements.Find("first_chunk"),
        Chunk = context.Measurements.Find("chunk"),
        Answer = context.Measurements.Find("answer"),
    };

    /// <summary>Waits for the whole answer.</summary>
    /// <exception cref="LoadException">It is not what it has to be, or does not come in time.</exception>
    public async Task WaitAsync(ChatLink link, AnswerTrack track, CancellationToken cancellationToken)
    {
        try
        {
            await track.Completion.WaitAsync(Target.Timeout, Target.Time, cancellationToken);
        }
        catch (TimeoutException)
        {
            track.Fail("It has been given up.");
            throw new LoadException(track.LastSeq == 0 ? $"No chunk within {Target.Timeout.TotalSeconds:0} s." : $"No whole answer within {Target.Timeout.TotalSeconds:0} s.");
        }
        finally
        {
            link.Forget(track);
        }
    }

    /// <summary>Has a user ask, and waits for the answer.</summary>
    public async Task AskAsync(Tab tab, int chunks, Timing timing, CancellationToken cancellationToken)
    {
        await tab.Turn.WaitAsync(cancellationToken);
        try
        {
            var track = new AnswerTrack(NextQuestion(tab, chunks), timing);
            await tab.Link!.AskAsync(track);
            await WaitAsync(tab.Link, track, cancellationToken);
        }
        finally
        {
            tab.Turn.Release();
        }
    }

    /// <summary>Runs something for every tab, many at a time; what fails is counted.</summary>
    public Task ForEachAsync(Func<Tab, CancellationToken, ValueTask> run, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(_all.Where(t => t is not null), new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellationToken }, async (tab, stop) =>
        {
            try
            {
                await run(tab, stop);
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                context.Measurements.Error(OpenLoop.Describe(e));
            }
        });

    public async ValueTask DisposeAsync()
    {
        await CloseAsync(_all.Select(tab => tab?.Link));
        foreach (var tab in _all) tab?.Dispose();
    }

    /// <summary>Closes sockets, in bounded time however many there are: a server that hangs answers none of them.</summary>
    public Task CloseAsync(IEnumerable<ChatLink?> links)
    {
        long begin = Target.Time.GetTimestamp();
        return Parallel.ForEachAsync(links.OfType<ChatLink>(), new ParallelOptions { MaxDegreeOfParallelism = AtATime }, async (link, _) =>
        {
            if (Target.Time.GetElapsedTime(begin) > ClosingTakes) await link.CutAsync();
            await link.DisposeAsync();
        });
    }
}
