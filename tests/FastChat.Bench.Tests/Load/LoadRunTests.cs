using System.Net;
using System.Net.Sockets;
using FastChat.Compare.Load;
using FastChat.Compare.Runs;
using FastChat.Connections;

namespace FastChat.Bench.Tests.Load;

/// <summary>The load client against real servers on loopback.</summary>
public class LoadRunTests
{
    private static readonly Scenario Small = new("small", "", 4, 200) { PerWrite = 3 };
    private readonly byte[] _buffer = new byte[16 * 1024];

    private async Task<LoadResult> RunAsync(Func<WebSocketConnection, WebSocketMessage, ValueTask> handler, Scenario scenario)
    {
        await using var server = new WebSocketServer(0);
        server.Map("/echo", handler);
        await server.StartAsync();
        var order = new LoadOrder("127.0.0.1", server.Port, "/echo", scenario, 0.02, 0.1) { ProcessId = Environment.ProcessId };
        return await Task.Run(() => LoadRun.Execute(order, _buffer)).WaitAsync(TimeSpan.FromSeconds(60));
    }

    public static TheoryData<string> Loads => new("small", "sleeping", "text", "large");

    [Theory]
    [MemberData(nameof(Loads))]
    public async Task An_echo_server_is_measured(string load)
    {
        var scenario = load switch
        {
            "sleeping" => Small with { Polls = false },
            "text" => Small with { Payload = PayloadKind.TwoByteText },
            "large" => new Scenario("large", "", 2, 1 << 19),
            _ => Small,
        };
        var result = await RunAsync((connection, message) => connection.SendAsync(message), scenario);
        Assert.Null(result.Error);
        Assert.True(result.Messages > 0);
        Assert.InRange(result.Seconds, 0.1, 10);
        Assert.True(result.P50Microseconds > 0 && result.P50Microseconds <= result.P99Microseconds && result.P99Microseconds <= result.P999Microseconds && result.P999Microseconds <= result.MaxMicroseconds);
        Assert.NotNull(result.ServerCpuSeconds);
        Assert.InRange(result.ClientBusy!.Value, 0, 1.01);
        Assert.True(result.RssBytes > 1 << 20);
    }

    [Fact]
    public async Task Idle_connections_are_held_and_then_echo_once_each()
    {
        int echoes = 0;
        var result = await RunAsync((connection, message) =>
        {
            Interlocked.Increment(ref echoes);
            return connection.SendAsync(message);
        }, new Scenario("idle", "", 20, 64) { IsIdle = true, Polls = false });
        Assert.Null(result.Error);
        Assert.Equal((20, 20L), (echoes, result.Messages));
        Assert.NotNull(result.IdleBytesPerConnection);
        Assert.NotNull(result.EchoedBytesPerConnection);
        Assert.NotNull(result.ConnectMicroseconds);
        Assert.Null(result.P50Microseconds); // none was measured, which is not 0
    }

    [Fact]
    public async Task A_server_that_changes_a_byte_is_found_out()
    {
        var result = await RunAsync((connection, message) =>
        {
            byte[] changed = System.Buffers.BuffersExtensions.ToArray(message.Payload);
            changed[^1] ^= 1;
            return connection.SendBinaryAsync(changed);
        }, Small);
        Assert.Contains("differs", result.Error, StringComparison.Ordinal);
        Assert.Equal(0, result.Messages);
    }

    [Fact]
    public async Task A_refused_upgrade_is_a_result()
    {
        await using var server = new WebSocketServer(0);
        server.Map("/elsewhere", (_, _) => default);
        await server.StartAsync();
        var result = await Task.Run(() => LoadRun.Execute(new LoadOrder("127.0.0.1", server.Port, "/echo", Small, 0, 0.1), _buffer)).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Contains("404", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_listening_is_a_result()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // bound, but it does not listen
        int port = ((IPEndPoint)taken.LocalEndPoint!).Port;
        var result = await Task.Run(() => LoadRun.Execute(new LoadOrder("127.0.0.1", port, "/", Small, 0, 0.1), _buffer)).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.NotNull(result.Error);
    }

    [Fact]
    public async Task The_load_process_answers_each_order_with_a_line()
    {
        await using var server = new WebSocketServer(0);
        server.Map("/", (connection, message) => connection.SendAsync(message));
        await server.StartAsync();
        string order = System.Text.Json.JsonSerializer.Serialize(new LoadOrder("127.0.0.1", server.Port, "/", Small, 0, 0.05), LoadJson.Default.LoadOrder);
        var output = new StringWriter();
        int code = await Task.Run(() => LoadAgent.Run(new StringReader(order + "\n" + order + "\n"), output)).WaitAsync(TimeSpan.FromSeconds(60));
        string[] lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal((0, 2), (code, lines.Length));
        Assert.All(lines, line => Assert.True(System.Text.Json.JsonSerializer.Deserialize(line, LoadJson.Default.LoadResult)!.Messages > 0, line));
    }
}
