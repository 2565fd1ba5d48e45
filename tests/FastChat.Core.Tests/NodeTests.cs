using System.Diagnostics;
using System.Globalization;
using FastChat.Protocol.Compression;

namespace FastChat.Core.Tests;

/// <summary>Node's own WebSocket against our server, where there is a Node.</summary>
public sealed class NodeTests
{
    private const string Script = """
        const [url] = process.argv.slice(-1);
        const fail = why => { console.log('FAIL ' + why); process.exit(1); };
        const socket = new WebSocket(url, ['v1']);
        socket.binaryType = 'arraybuffer';
        const sent = ['', 'hello', 'grüße 😀'.repeat(5000), new Uint8Array(0), new Uint8Array(200000).map((_, i) => i * 7), 'x'.repeat(70000)];
        let next = 0;
        const same = (a, b) => typeof a === 'string' ? a === b : a.length === b.byteLength && new Uint8Array(b).every((v, i) => v === a[i]);
        socket.onopen = () => { if (socket.protocol !== 'v1') fail('protocol ' + socket.protocol); for (const one of sent) socket.send(one); };
        socket.onmessage = e => {
          if (!same(sent[next], e.data)) fail('message ' + next);
          if (++next === sent.length) socket.close(4001, 'bye é');
        };
        socket.onerror = e => fail('error ' + (e.message ?? e.error));
        socket.onclose = e => console.log(next === sent.length && e.wasClean && e.code === 4001 ? `OK ${socket.extensions}` : `FAIL close ${e.code} ${e.reason} ${e.wasClean}`);
        """;

    [Theory]
    [InlineData(TransportKind.Epoll, false)]
    [InlineData(TransportKind.Epoll, true)]
    [InlineData(TransportKind.Sockets, false)]
    [InlineData(TransportKind.Sockets, true)]
    public async Task Nodes_WebSocket_gets_its_messages_back(TransportKind kind, bool compression)
    {
        int version = NodeVersion();
        Assert.SkipUnless(version >= 20, "This machine has no Node 20 or later, the first with a WebSocket of its own.");
        await using var harness = await NetworkHarness.StartAsync(kind, options =>
        {
            options.Subprotocols = ["v1"];
            options.Compression = compression ? new PerMessageDeflateOptions() : null;
        });
        string[] flags = version < 22 ? ["--no-warnings", "--experimental-websocket"] : [];
        string output = await RunAsync([.. flags, "-e", Script, $"ws://127.0.0.1:{harness.Server.Port}/echo"]);
        Assert.StartsWith("OK", output, StringComparison.Ordinal);
        Assert.True(compression || !output.Contains("permessage", StringComparison.Ordinal), output);
        await WebSocketServerTests.Until(() => harness.Log.Endings.Any());
        Assert.Contains("ClosedByPeer", harness.Log.Endings.Single(), StringComparison.Ordinal);
    }

    private static int NodeVersion()
    {
        try
        {
            string text = RunAsync(["--version"]).WaitAsync(NetworkHarness.Patience).GetAwaiter().GetResult();
            return int.Parse(text.TrimStart('v').Split('.')[0], CultureInfo.InvariantCulture);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return 0;
        }
    }

    private static async Task<string> RunAsync(string[] arguments)
    {
        using var node = Process.Start(new ProcessStartInfo("node", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = node.StandardError.ReadToEndAsync();
        string output = await node.StandardOutput.ReadToEndAsync().WaitAsync(NetworkHarness.Patience);
        await node.WaitForExitAsync().WaitAsync(NetworkHarness.Patience);
        return output + await errors;
    }
}
