using System.Runtime.InteropServices;

namespace FastChat.Measure;

/// <summary>
/// Ctrl+C and SIGTERM while a program runs: the first asks it to end, with its report; the second ends it. Disposing of it gives both their
/// usual meaning back.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _asked = new();
    private readonly Action? _last;
    private readonly PosixSignalRegistration[] _signals;

    /// <param name="last">Done before the second signal ends the program, on the thread that brings it; null for nothing.</param>
    public Interruption(Action? last = null)
    {
        _last = last;
        _signals = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM }.Select(signal => PosixSignalRegistration.Create(signal, context => context.Cancel = Ask()))];
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _asked.Token;

    public void Dispose()
    {
        // Not the source: a signal may be on its way to it.
        foreach (var signal in _signals) signal.Dispose();
    }

    /// <summary>A signal has come.</summary>
    /// <returns>Whether it is the first. The next may do what it does to a program without this: end it.</returns>
    internal bool Ask()
    {
        if (!_asked.IsCancellationRequested)
        {
            _asked.Cancel();
            return true;
        }
        _last?.Invoke();
        return false;
    }
}
