using FastChat;

/// <summary>
/// Makes the runtime compile what every connection runs before anybody is told that the server is ready: some connections of our own, a few
/// messages each. Without it the first clients pay for that, in time and in what they seem to cost in memory.
/// </summary>
internal static class WarmUp
{
    private const int Connections = 100;
    private const int Messages = 4;

    public static async Task RunAsync(int port)
    {
        await using var client = new WebSocketClient();
        byte[] data = new byte[64];
        for (int i = 0; i < Connections; i++)
        {
            await using var connection = await client.ConnectAsync(new Uri($"ws://127.0.0.1:{port}/"));
            for (int j = 0; j < Messages; j++)
            {
                await connection.SendBinaryAsync(data);
                await connection.ReadMessageAsync();
            }
        }
    }
}
