using FastChat.Chat;
using FastChat.Server.Auth;
using FastChat.Storage;

namespace FastChat.Server.Hosting;

/// <summary>
/// Begins and ends with the host. At the start, what may fail is opened before the first connection is accepted; at the end nothing
/// acknowledged is lost: not ready, no new sockets or messages, running answers have until the deadline, and every socket is closed with
/// 1001 behind its last message.
/// </summary>
internal sealed partial class ServerLifetime(IServiceProvider services, FastChatOptions options, ILogger<ServerLifetime> logger) : IHostedLifecycleService
{
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(3);

    /// <summary>The longest that all of <see cref="StoppingAsync"/> takes.</summary>
    public static TimeSpan Longest(FastChatOptions options) => options.DrainTimeout + FlushTimeout + CloseTimeout;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        var store = services.GetRequiredService<IChatStore>();
        await store.PingAsync(cancellationToken);
        services.GetRequiredService<IUserAuthenticator>();
        services.GetRequiredService<ChatEngine>();
        services.GetRequiredService<ChatSocketServer>();
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        var engine = services.GetRequiredService<ChatEngine>();
        var sockets = services.GetRequiredService<ChatSocketServer>();
        Stopping(logger, sockets.Handler.Count);
        using (var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
        {
            deadline.CancelAfter(options.DrainTimeout);
            await engine.DrainAsync(deadline.Token);
        }
        // The answers are stored; now the ends of them go out, to those who read.
        await sockets.Handler.IdleAsync().WaitAsync(FlushTimeout, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        int aborted = await sockets.Server.DrainAsync(CloseTimeout, CancellationToken.None);
        Stopped(logger, aborted);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(3001, LogLevel.Information, "Stopping: {Sockets} sockets are open.")]
    private static partial void Stopping(ILogger logger, int sockets);

    [LoggerMessage(3002, LogLevel.Information, "Stopped: {Aborted} sockets did not close in time.")]
    private static partial void Stopped(ILogger logger, int aborted);
}
