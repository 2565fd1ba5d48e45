using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace FastChat.Compare.Load;

/// <summary>
/// Carries out one order, on one thread, in bounded time: a closed loop in which each connection sends its next batch when the last one is
/// back. A run that fails has a reason and no figures.
/// </summary>
internal sealed class LoadRun : IDisposable
{
    private const int MaxHandshakes = 64;
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(10);
    // Memory is looked at when the server has had time to finish what it was at: to compile what it has just run (which would count as memory
    // of connections otherwise), and to give back what it only needed for handshakes.
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(1);

    private readonly LoadOrder _order;
    private readonly Traffic _traffic;
    private readonly Poller _poller = Poller.Create();
    private readonly List<LoadConnection> _connections = [];
    private readonly LatencyHistogram _latencies = new();
    private readonly byte[] _buffer;
    private bool _sending;
    private bool _counting;
    private long _busy; // ticks in which there was something to do

    private LoadRun(LoadOrder order, byte[] buffer)
    {
        (_order, _buffer) = (order, buffer);
        _traffic = new Traffic(order.Scenario);
    }

    /// <param name="order">What to do.</param>
    /// <param name="buffer">Room to receive into, of any size.</param>
    public static LoadResult Execute(LoadOrder order, byte[] buffer)
    {
        try
        {
            using var run = new LoadRun(order, buffer);
            return order.Scenario.IsIdle ? run.Idle() : run.Load();
        }
        catch (Exception e) when (e is EchoException or SocketException or TimeoutException or IOException)
        {
            return new LoadResult { Error = e.Message };
        }
    }

    public void Dispose()
    {
        foreach (var connection in _connections) connection.Dispose();
        _poller.Dispose();
    }

    private LoadResult Load()
    {
        Connect();
        _sending = true;
        SendAll();
        Run(TimeSpan.FromSeconds(_order.LeadIn), () => false);

        double? cpu = Cpu();
        double? core = _order.ServerCpu is { } before ? ProcessSampler.BusySeconds(before) : null;
        long messages = _connections.Sum(c => c.Messages);
        _busy = 0;
        _counting = true;
        var own = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        Run(TimeSpan.FromSeconds(_order.Seconds), () => false);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        _counting = false;
        long busy = _busy;
        own = Environment.CpuUsage.TotalTime - own;
        messages = _connections.Sum(c => c.Messages) - messages;
        double? used = Cpu() - cpu;
        double? coreUsed = (_order.ServerCpu is { } after ? ProcessSampler.BusySeconds(after) : null) - core;
        long? rss = _order.ProcessId is { } id ? ProcessSampler.RssBytes(id) : null;

        // What is in flight must come back too.
        _sending = false;
        Run(DrainLimit, () => _connections.TrueForAll(c => c.IsDone));
        if (_connections.Find(c => !c.IsDone) is not null) return new LoadResult { Error = "Messages did not come back." };
        if (messages == 0) return new LoadResult { Error = "Nothing came back in the time counted." };
        return new LoadResult
        {
            Messages = messages,
            Seconds = seconds,
            P50Microseconds = _latencies.Percentile(0.5) / 1e3,
            P99Microseconds = _latencies.Percentile(0.99) / 1e3,
            P999Microseconds = _latencies.Percentile(0.999) / 1e3,
            MaxMicroseconds = _latencies.Max / 1e3,
            ServerCpuSeconds = used,
            ClientBusy = busy / (double)Stopwatch.Frequency / seconds,
            ClientCpuShare = own.TotalSeconds / seconds,
            StolenShare = used is not null && coreUsed is not null ? Math.Max(0, (coreUsed.Value - used.Value) / seconds) : null,
            RssBytes = rss,
        };
    }

    private LoadResult Idle()
    {
        Run(Settle, () => false);
        long? before = Rss();
        double? cpu = Cpu();
        Connect();
        double? connectCpu = Cpu() - cpu;
        Run(Settle, () => false);
        long? open = Rss();
        long start = Stopwatch.GetTimestamp();
        SendAll();
        Run(DrainLimit, () => _connections.TrueForAll(c => c.IsDone));
        if (_connections.Find(c => !c.IsDone) is not null) return new LoadResult { Error = "Not every connection echoed." };
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Run(Settle, () => false);
        return new LoadResult
        {
            Messages = _connections.Count,
            Seconds = seconds,
            RssBytes = open,
            IdleBytesPerConnection = (open - before) / (double?)_connections.Count,
            EchoedBytesPerConnection = (Rss() - before) / (double?)_connections.Count,
            ConnectMicroseconds = connectCpu * 1e6 / _connections.Count,
        };
    }

    private double? Cpu() => _order.ProcessId is { } id ? ProcessSampler.CpuSeconds(id) : null;

    private long? Rss() => _order.ProcessId is { } id ? ProcessSampler.RssBytes(id) : null;

    private void Connect()
    {
        // Servers of IPv4 alone are more than those of IPv6 alone, and localhost may name both.
        var address = IPAddress.TryParse(_order.Host, out var literal) ? literal : Dns.GetHostAddresses(_order.Host).MinBy(a => a.AddressFamily)!;
        var server = new IPEndPoint(address, _order.Port);
        long start = Stopwatch.GetTimestamp();
        int open = 0;
        while (open < _order.Scenario.Connections)
        {
            while (_connections.Count < _order.Scenario.Connections && _connections.Count - open < MaxHandshakes)
            {
                var connection = new LoadConnection(_order, server, _traffic, _connections.Count);
                _connections.Add(connection);
                _poller.Add(connection.Socket);
            }
            foreach (var ready in _poller.Wait(100))
            {
                var connection = _connections[ready.Index];
                bool wasOpen = connection.IsOpen;
                connection.Receive(_buffer, null);
                if (!wasOpen && connection.IsOpen) open++;
            }
            if (Stopwatch.GetElapsedTime(start) > ConnectLimit) throw new TimeoutException($"Only {open} of {_order.Scenario.Connections} connections opened within {ConnectLimit.TotalSeconds:0} s.");
        }
    }

    private void SendAll()
    {
        for (int i = 0; i < _connections.Count; i++)
        {
            _connections[i].SendBatch();
            if (_connections[i].IsSending) _poller.WatchWrite(i, true);
        }
    }

    private void Run(TimeSpan time, Func<bool> isOver)
    {
        long end = Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);
        long now;
        while ((now = Stopwatch.GetTimestamp()) < end && !isOver())
        {
            int patience = _order.Scenario.Polls && _sending ? 0 : (int)Math.Clamp((end - now) * 1000 / Stopwatch.Frequency + 1, 1, 50);
            var found = _poller.Wait(patience);
            if (found.IsEmpty) continue;
            long began = Stopwatch.GetTimestamp();
            foreach (var ready in found) Turn(ready);
            _busy += Stopwatch.GetTimestamp() - began;
        }
    }

    private void Turn(Poller.Ready ready)
    {
        var connection = _connections[ready.Index];
        if (ready.CanWrite)
        {
            connection.Send();
            if (!connection.IsSending) _poller.WatchWrite(ready.Index, false);
        }
        if (!ready.CanRead) return;
        connection.Receive(_buffer, _counting ? _latencies : null);
        if (!_sending || !connection.IsDone) return;
        connection.SendBatch();
        if (connection.IsSending) _poller.WatchWrite(ready.Index, true);
    }
}
