namespace FastChat.Server.Commands;

/// <summary>
/// What Ctrl-C and SIGTERM mean now: usually the end of the command, in the middle of an answer only the end of that. Any thread may use it.
/// </summary>
internal sealed class Interrupts : IDisposable
{
    private readonly CancellationTokenSource _end = new();
    private Func<bool>? _handler;

    /// <summary>Cancelled when the command shall end.</summary>
    public CancellationToken Token => _end.Token;

    /// <summary>Asked first at each Ctrl-C; true when it dealt with it. Null for none.</summary>
    public Func<bool>? Handler
    {
        get => Volatile.Read(ref _handler);
        set => Volatile.Write(ref _handler, value);
    }

    /// <summary>Ctrl-C: asks the handler, else ends the command. False when it is ending already: then the process may be killed.</summary>
    public bool Interrupt() => Handler?.Invoke() is true || End();

    /// <summary>SIGTERM, and SIGHUP: ends the command. False when it is ending already.</summary>
    public bool End()
    {
        if (_end.IsCancellationRequested)
            return false;
        _end.Cancel();
        return true;
    }

    public void Dispose() => _end.Dispose();
}
