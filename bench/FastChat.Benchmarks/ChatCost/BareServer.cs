using System.Globalization;
using FastChat.Connections;

namespace FastChat.Benchmarks.ChatCost;

/// <summary>What <see cref="BareServer"/> does for a message.</summary>
internal enum BareWork
{
    /// <summary>Pauses as often as an answer does and sends nothing: what the offline model's clock costs, which is neither chat nor WebSocket.</summary>
    Pause,
    /// <summary>The same, and sends a chunk each time.</summary>
    Stream,
    /// <summary>Sends at once what a message with a short answer is answered with.</summary>
    Reply,
}

/// <summary>
/// The engine without a chat: the bytes that the chat sends, made beforehand, in the same frames on the same occasions. A stream has a loop
/// of its own with the same pause as each answer of the offline model.
/// </summary>
internal sealed class BareServer(BareWork work, TimeSpan pause) : WebSocketHandler
{
    public const string Role = "--bare-server";

    public static async Task<int> RunAsync(string work, string pause)
    {
        var handler = new BareServer(Enum.Parse<BareWork>(work), TimeSpan.FromMilliseconds(int.Parse(pause, CultureInfo.InvariantCulture)));
        await using var server = new WebSocketServer(new WebSocketServerOptions { MaxConnections = 20_000, MaxConnectionsPerAddress = 20_000 });
        server.Map("/", handler);
        await server.StartAsync();
        Console.WriteLine($"http://127.0.0.1:{server.Port}");
        await Task.Delay(Timeout.InfiniteTimeSpan);
        return 0;
    }

    public override async ValueTask OnMessageAsync(WebSocketConnection connection, WebSocketMessage message)
    {
        if (work != BareWork.Reply)
        {
            _ = StreamAsync(connection);
            return;
        }
        foreach (byte[] frame in Answer.Reply) await connection.SendTextAsync(frame);
    }

    private async Task StreamAsync(WebSocketConnection connection)
    {
        await Task.Yield();
        try
        {
            foreach (byte[] frame in Answer.Chunks)
            {
                if (work == BareWork.Stream) await connection.SendTextAsync(frame, connection.Closed);
                await Task.Delay(pause, TimeProvider.System, connection.Closed);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ConnectionClosedException)
        {
            // The client is gone.
        }
    }
}
