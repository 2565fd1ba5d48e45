using System.Net;
using System.Net.Sockets;
using FastChat.Diagnostics;

namespace FastChat.Transport.Epoll;

/// <summary>Listens on one address and deals the connections out to its loops in turn (Linux only).</summary>
internal sealed class EpollListener : TransportListener
{
    private const int AcceptsPerTurn = 64;
    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(200);

    private readonly EpollOptions _options;
    private readonly EpollLoop[] _loops;
    private readonly Lock _gate = new();
    private EndPoint _endPoint;
    private Socket? _socket;
    private readonly AcceptPauses _pauses;
    private DescriptorTable? _descriptors;
    private int _descriptor;
    private ITimer? _resume;
    private Action<TransportConnection>? _onAccepted;
    private int _next;
    private bool _stopped;
    private Task? _disposed;

    public EpollListener(EndPoint endPoint, EpollOptions options)
    {
        if (!IsSupported) throw new PlatformNotSupportedException("epoll is a Linux facility.");
        _endPoint = endPoint;
        _options = options;
        _pauses = new AcceptPauses(options.Logger, options.TimeProvider);
        _loops = new EpollLoop[Math.Max(1, options.Loops)];
        for (int i = 0; i < _loops.Length; i++) _loops[i] = new EpollLoop(options, $"FastChat loop {i}");
    }

    /// <summary>Whether this machine has epoll.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux();

    public override EndPoint EndPoint => _endPoint;

    internal override int Room => _descriptors?.Room ?? int.MaxValue;

    /// <summary>What tells how full the table is; replaced by tests.</summary>
    internal Func<Socket, DescriptorTable> Descriptors { get; init; } = DescriptorTable.Of;

    public override void Start(Action<TransportConnection> onAccepted)
    {
        _onAccepted = onAccepted;
        _socket = ListenSocket.Bind(_endPoint, _options.Backlog, Descriptors, out _descriptors);
        _socket.Blocking = false;
        _endPoint = _socket.LocalEndPoint ?? _endPoint;
        _descriptor = (int)_socket.Handle;
        _loops[0].Listen(_descriptor, Accept);
        foreach (var loop in _loops) loop.Start();
    }

    /// <summary>A connection is under its loop's watch: begins to serve it, on the loop's thread.</summary>
    public void OnAccepted(EpollConnection connection)
    {
        try
        {
            _onAccepted!(connection);
        }
        catch (Exception e)
        {
            _options.Logger.AcceptedConnectionFailed(e);
            connection.Abort();
        }
    }

    public override ValueTask StopAcceptingAsync()
    {
        lock (_gate)
        {
            if (_stopped || _socket is null) return default;
            _stopped = true;
            _resume?.Dispose();
        }
        if (_loops[0].IsCurrentThread)
        {
            CloseListener();
            return default;
        }
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _loops[0].Post(() =>
        {
            CloseListener();
            closed.SetResult();
        });
        return new ValueTask(closed.Task);
    }

    public override ValueTask DisposeAsync()
    {
        lock (_gate) _disposed ??= EndAsync();
        return new ValueTask(_disposed);
    }

    private async Task EndAsync()
    {
        await Task.Yield(); // out of the lock, and off the loop where one of its handlers disposes the server
        if (_socket is null) return;
        await StopAcceptingAsync().ConfigureAwait(false);
        foreach (var loop in _loops) loop.Stop();
        foreach (var loop in _loops) await loop.Ended.ConfigureAwait(false);
    }

    private void CloseListener()
    {
        _loops[0].StopListening(_descriptor);
        ListenSocket.Close(_socket!);
    }

    private unsafe void Accept()
    {
        byte* address = stackalloc byte[128];
        for (int i = 0; i < AcceptsPerTurn && !_stopped; i++)
        {
            if (!_descriptors!.HasRoom())
            {
                PauseAccepting(0);
                return;
            }
            int length = 128;
            int descriptor = Libc.Accept(_descriptor, address, &length);
            if (descriptor < 0)
            {
                int error = Libc.Errno;
                if (error is Libc.Eintr or Libc.Econnaborted) continue;
                if (error != Libc.Eagain) PauseAccepting(error);
                return;
            }
            _pauses.End(_endPoint);
            _descriptors.Took(descriptor);
            Libc.NoDelay(descriptor);
            var peer = new PeerAddress(new ReadOnlySpan<byte>(address, Math.Min(length, 128)));
            _next = _next + 1 == _loops.Length ? 0 : _next + 1;
            new EpollConnection(_loops[_next], descriptor, this, peer).Begin();
        }
    }

    /// <summary>Out of descriptors or memory: the backlog would make the loop spin, so it is left alone for a while.</summary>
    private void PauseAccepting(int error)
    {
        _pauses.Begin(_endPoint, error);
        _loops[0].StopListening(_descriptor);
        lock (_gate) ResumeLater();
    }

    private void ResumeLater()
    {
        if (_stopped) return;
        _resume?.Dispose();
        _resume = _options.TimeProvider.CreateTimer(static listener => ((EpollListener)listener!).ResumeAccepting(), this, AcceptPause, Timeout.InfiniteTimeSpan);
    }

    private void ResumeAccepting()
    {
        lock (_gate)
        {
            if (_stopped) return;
            try
            {
                _loops[0].Listen(_descriptor, Accept);
            }
            catch (IOException)
            {
                ResumeLater(); // the kernel has no memory for it yet; thrown on a timer's thread it would be the end of the process
            }
        }
    }
}
