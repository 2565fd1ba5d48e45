using System.Net;
using System.Runtime;
using FastChat;

/// <summary>
/// Makes the runtime compile what every connection runs, and fill its nursery once, before anybody can connect: on a server of its own,
/// some connections, a few messages each. Without it the first clients pay for that, in time and in what they seem to cost in memory.
/// </summary>
internal static class WarmUp
{
    private const int Connections = 300;
    private const int Messages = 4;

    public static async Task RunAsync(WebSocketServerOptions options, Action<WebSocketServer> map)
    {
        var endPoint = options.EndPoint;
        options.EndPoint = new IPEndPoint(IPAddress.Loopback, 0);
        await using (var server = new WebSocketServer(options))
        {
            map(server);
            await server.StartAsync();
            await using var client = new WebSocketClient();
            byte[] data = new byte[64];
            for (int i = 0; i < Connections; i++)
            {
                await using var connection = await client.ConnectAsync(new Uri($"ws://127.0.0.1:{server.Port}/"));
                for (int j = 0; j < Messages; j++)
                {
                    await connection.SendBinaryAsync(data);
                    await connection.ReadMessageAsync();
                }
            }
        }
        options.EndPoint = endPoint;
        await CompiledAsync();
        GC.Collect();
    }

    /// <summary>The runtime compiles hot methods again, in the background: waits until it has nothing left to do.</summary>
    private static async Task CompiledAsync()
    {
        long before = -1;
        for (int i = 0; i < 20 && JitInfo.GetCompiledMethodCount() is var count && count != before; i++)
        {
            before = count;
            await Task.Delay(TimeSpan.FromMilliseconds(200));
        }
    }
}
