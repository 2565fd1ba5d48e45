namespace FastChat.Transport.Epoll;

/// <summary>A token that may cancel the pending operation; made only for operations that were given one.</summary>
internal sealed class Cancellation(CancellationToken token)
{
    private CancellationTokenRegistration _registration;

    public CancellationToken Token => token;

    /// <summary>The token was what completed the operation.</summary>
    public bool Happened { get; set; }

    public void Register(Action<object?> cancel, object state) => _registration = token.UnsafeRegister(cancel, state);

    /// <summary>Waits for a callback that is running.</summary>
    public void Unregister() => _registration.Dispose();
}
