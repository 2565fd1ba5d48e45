using FastChat;

// What an engineer does first with the package: a server, a client, an echo.
await using var server = new WebSocketServer(0);
server.Map("/echo", (connection, message) => connection.SendAsync(message));
await server.StartAsync();

await using var client = new WebSocketClient();
await using var connection = await client.ConnectAsync(new Uri($"ws://127.0.0.1:{server.Port}/echo"));
await connection.SendTextAsync("hello");
string? answer = (await connection.ReadMessageAsync())?.GetText();
await connection.CloseAsync();
Console.WriteLine($"FastChat.Core {typeof(WebSocketServer).Assembly.GetName().Version} echoes {answer}.");
return answer == "hello" ? 0 : 1;
