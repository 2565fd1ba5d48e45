using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using BenchmarkDotNet.Attributes;
using FastChat.Benchmarks.Budgets;
using FastChat.Benchmarks.Support;
using FastChat.Protocol;
using FastChat.Transport;

namespace FastChat.Benchmarks.Connections;

/// <summary>
/// One message there and back where the server's end is a stream: one that somebody else made (TCP), and TLS over either transport. The
/// client's end is a stream too, which blocks; what it allocates counts as well.
/// </summary>
[MemoryDiagnoser]
public class StreamEchoBenchmarks
{
    public enum ServerStream
    {
        Tcp,
        TlsOverSockets,
        TlsOverEpoll,
    }

    private byte[] _frame = [];
    private byte[] _answer = [];
    private Stream _client = null!;
    private WebSocketServer _server = null!;

    public static IEnumerable<ServerStream> Streams =>
        Enum.GetValues<ServerStream>().Where(s => s != ServerStream.TlsOverEpoll || FastChat.Transport.Epoll.EpollListener.IsSupported);

    [ParamsSource(nameof(Streams))]
    public ServerStream Server { get; set; }

    [Params(64, 16 * 1024)]
    public int Size { get; set; }

    [GlobalSetup]
    public async Task Setup()
    {
        _frame = TestFrames.Masked(Opcode.Text, TestFrames.Ascii(Size));
        _answer = new byte[TestFrames.Answer(Size)];
        var certificate = Certificate();
        var options = new WebSocketServerOptions { EndPoint = new IPEndPoint(IPAddress.Loopback, 0) };
        if (Server == ServerStream.Tcp) options.Listener = new StreamListener();
        else
        {
            options.Transport = Server == ServerStream.TlsOverEpoll ? TransportKind.Epoll : TransportKind.Sockets;
            options.Tls = new SslServerAuthenticationOptions { ServerCertificate = certificate };
        }
        _server = new WebSocketServer(options);
        _server.Map("/echo", (connection, message) => connection.SendAsync(message));
        await _server.StartAsync();

        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 30_000, SendTimeout = 30_000 };
        // Whatever is asynchronous here would make the socket's blocking calls allocate ever after.
        socket.Connect(_server.EndPoint);
        _client = new NetworkStream(socket, ownsSocket: true);
        if (Server != ServerStream.Tcp)
        {
            var tls = new SslStream(_client);
            tls.AuthenticateAsClient(new SslClientAuthenticationOptions { TargetHost = "localhost", RemoteCertificateValidationCallback = (_, shown, _, _) => certificate.Equals(shown) });
            _client = tls;
        }
        _client.Write("GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"u8);
        var head = new StringBuilder();
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal)) head.Append((char)_client.ReadByte());
        if (!head.ToString().StartsWith("HTTP/1.1 101", StringComparison.Ordinal)) throw new InvalidOperationException("The server refused the upgrade.");
    }

    [GlobalCleanup]
    public async Task Cleanup()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Benchmark, Budgeted]
    public void RoundTrip()
    {
        _client.Write(_frame);
        _client.ReadExactly(_answer);
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var made = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>Connections as somebody else's server would hand them over: network streams.</summary>
    private sealed class StreamListener : TransportListener
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

        public override EndPoint EndPoint => _listener.LocalEndpoint;

        public override void Start(Action<TransportConnection> onAccepted)
        {
            _listener.Start();
            _listener.BeginAcceptSocket(accepted => onAccepted(new StreamTransportConnection(new NetworkStream(_listener.EndAcceptSocket(accepted), ownsSocket: true))), null);
        }

        public override ValueTask StopAcceptingAsync()
        {
            _listener.Stop();
            return default;
        }

        public override ValueTask DisposeAsync() => StopAcceptingAsync();
    }
}
