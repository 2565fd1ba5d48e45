using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using FastChat.LoadTests.Wire;

namespace FastChat.LoadTests.Load;

/// <summary>Everything that a scenario counts while it runs. Safe for concurrent use.</summary>
internal sealed partial class Measurements
{
    private const int MostKindsOfErrors = 40;
    private const int MostErrorLength = 200;

    private readonly Dictionary<string, LatencyMetric> _latencies;
    private readonly ConcurrentDictionary<string, int> _errors = new();
    private long _operations, _failed, _lost, _doubled, _reordered, _wrong, _started, _chunks, _frames;
    private int _sockets, _mostSockets;

    /// <param name="latencies">Names of the latencies; the first is the one that stands for the scenario.</param>
    public Measurements(IEnumerable<string> latencies)
    {
        Latencies = [.. latencies.Append(Lag).Select(name => new LatencyMetric(name))];
        _latencies = Latencies.ToDictionary(l => l.Name);
    }

    /// <summary>The latency that every scenario has: how late this program itself was with what it wanted to start.</summary>
    public const string Lag = "lag";

    public IReadOnlyList<LatencyMetric> Latencies { get; }

    /// <summary>Operations that ended, however.</summary>
    public long Operations => Volatile.Read(ref _operations);

    public long Started => Volatile.Read(ref _started);

    /// <summary>Operations that failed, and faults found in answers whose operation did not.</summary>
    public long Errors => Volatile.Read(ref _failed);

    public int InFlight => (int)(Started - Operations);

    public int Sockets => Volatile.Read(ref _sockets);

    public int MostSockets => Volatile.Read(ref _mostSockets);

    public long Lost => Volatile.Read(ref _lost);

    public long Doubled => Volatile.Read(ref _doubled);

    public long Reordered => Volatile.Read(ref _reordered);

    public long Wrong => Volatile.Read(ref _wrong);

    /// <summary>Chunks received.</summary>
    public long Chunks => Volatile.Read(ref _chunks);

    /// <summary>Messages they came in: fewer, where a reader was slow.</summary>
    public long ChunkMessages => Volatile.Read(ref _frames);

    /// <summary>How often what went wrong, the most frequent first.</summary>
    public IReadOnlyList<KeyValuePair<string, int>> ErrorKinds => [.. _errors.OrderByDescending(e => e.Value).ThenBy(e => e.Key, StringComparer.Ordinal)];

    public LatencyMetric this[string name] => _latencies[name];

    /// <summary>A latency; null where the scenario has none of that name.</summary>
    public LatencyMetric? Find(string name) => _latencies.GetValueOrDefault(name);

    public void Start() => Interlocked.Increment(ref _started);

    public void Succeeded() => Interlocked.Increment(ref _operations);

    public void Failed(string why)
    {
        Error(why);
        Interlocked.Increment(ref _operations);
    }

    /// <summary>The run was ended before the operation was.</summary>
    public void Abandoned() => Interlocked.Decrement(ref _started);

    /// <summary>Something is wrong that is no operation's end.</summary>
    public void Error(string why)
    {
        Interlocked.Increment(ref _failed);
        // What differs from one time to the next would make a kind of each.
        why = Wait().Replace(why, "in a while");
        string kind = why.Length <= MostErrorLength ? why : why[..MostErrorLength] + "...";
        if (_errors.Count >= MostKindsOfErrors && !_errors.ContainsKey(kind)) kind = "others";
        _errors.AddOrUpdate(kind, 1, static (_, count) => count + 1);
    }

    /// <summary>Counts what was wrong with an answer. Whoever asked for it says that it failed.</summary>
    public void Add(Faults faults)
    {
        Interlocked.Add(ref _lost, faults.Lost);
        Interlocked.Add(ref _doubled, faults.Doubled);
        Interlocked.Add(ref _reordered, faults.Reordered);
        Interlocked.Add(ref _wrong, faults.Wrong);
    }

    /// <summary>A message with so many chunks came.</summary>
    public void AddChunks(int count)
    {
        Interlocked.Add(ref _chunks, count);
        Interlocked.Increment(ref _frames);
    }

    public void SocketOpened()
    {
        int now = Interlocked.Increment(ref _sockets);
        int most = Volatile.Read(ref _mostSockets);
        while (now > most && Interlocked.CompareExchange(ref _mostSockets, now, most) is var seen && seen != most) most = seen;
    }

    public void SocketClosed() => Interlocked.Decrement(ref _sockets);

    [GeneratedRegex(@"\bin [\d.]+ ?s(econds?)?\b")]
    private static partial Regex Wait();
}
