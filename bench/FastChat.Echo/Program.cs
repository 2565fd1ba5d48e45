using System.Globalization;
using System.Net;
using FastChat;
using FastChat.Protocol.Compression;

const string Usage = "usage: FastChat.Echo [--port 9001] [--transport auto|epoll|sockets] [--loops N] [--compression] [--max-message BYTES] [--until-input-ends]";

bool untilInputEnds = false;
var options = new WebSocketServerOptions { EndPoint = new IPEndPoint(IPAddress.Loopback, 9001), MaxHeadBytes = 64 * 1024 };
try
{
    for (int i = 0; i < args.Length; i++)
    {
        string Value() => ++i < args.Length ? args[i] : throw new ArgumentException($"{args[i - 1]} wants a value.");
        int Number() => int.TryParse(Value(), NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : throw new ArgumentException($"'{args[i]}' is not a number.");
        switch (args[i])
        {
            case "--port":
                options.EndPoint = new IPEndPoint(IPAddress.Loopback, Number());
                break;
            case "--transport":
                options.Transport = Enum.TryParse<TransportKind>(Value(), ignoreCase: true, out var kind) ? kind : throw new ArgumentException($"'{args[i]}' is no transport.");
                break;
            case "--loops":
                options.Loops = Number();
                break;
            case "--compression":
                // Clients may keep their window; ours is not kept, so that a connection costs no compressor.
                options.Compression = new PerMessageDeflateOptions { ClientContextTakeover = true };
                break;
            case "--max-message":
                options.Limits.MaxMessageBytes = options.Limits.MaxFrameBytes = Number();
                break;
            case "--until-input-ends":
                untilInputEnds = true;
                break;
            default:
                throw new ArgumentException($"'{args[i]}' is no option.");
        }
    }
}
catch (ArgumentException e)
{
    Console.Error.WriteLine(e.Message);
    Console.Error.WriteLine(Usage);
    return 2;
}

// Any path: the load generators of this field each have their own.
static void Map(WebSocketServer server) => server.Map("/{*}", (connection, message) => connection.SendAsync(message));
await WarmUp.RunAsync(options, Map);
await using var server = new WebSocketServer(options);
Map(server);
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    // A terminal sends it to whoever holds our input as well.
    if (!untilInputEnds) stop.Cancel();
};
using var terminate = System.Runtime.InteropServices.PosixSignalRegistration.Create(System.Runtime.InteropServices.PosixSignal.SIGTERM, context =>
{
    context.Cancel = true;
    stop.Cancel();
});
await server.StartAsync();
if (untilInputEnds) new Thread(ReadInput) { IsBackground = true, Name = "standard input" }.Start();
Console.WriteLine($"FastChat.Echo listens on ws://{server.EndPoint}");
await server.WaitAsync(stop.Token);
return 0;

// Whoever started this, with a pipe as its input, is gone when that ends. Reading it blocks: on a thread of its own, and none of the pool's.
void ReadInput()
{
    try
    {
        while (Console.In.ReadLine() is not null)
        {
        }
    }
    catch (IOException)
    {
        // What cannot be read has ended too.
    }
    try
    {
        stop.Cancel();
    }
    catch (ObjectDisposedException)
    {
        // A signal came first.
    }
}
