using FastChat.Connections;
using FastChat.Protocol;
using FastChat.Server.Auth;

namespace FastChat.Server.Hosting;

/// <summary>Closes a connection when the token that opened it expires.</summary>
internal sealed class TokenExpiry : IDisposable
{
    // Timers take no more than 49 days; tokens may live for a year.
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(40);

    private readonly WebSocketConnection _connection;
    private readonly DateTimeOffset _end;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;

    public TokenExpiry(WebSocketConnection connection, DateTimeOffset end, TimeProvider time)
    {
        (_connection, _end, _time) = (connection, end, time);
        _timer = time.CreateTimer(static expiry => ((TokenExpiry)expiry!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Arm();
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        if (_time.GetUtcNow() < _end)
            Arm();
        else
            _ = _connection.CloseAsync(CloseCode.PolicyViolation, AuthFailure.Expired.Describe()).AsTask();
    }

    private void Arm()
    {
        var left = _end - _time.GetUtcNow() + TimeSpan.FromMilliseconds(1);
        _timer.Change(left > LongestTimer ? LongestTimer : left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }
}
