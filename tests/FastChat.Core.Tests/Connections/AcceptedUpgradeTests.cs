using FastChat.Connections;
using FastChat.Core.Tests.Handshake;
using FastChat.Handshake;

namespace FastChat.Core.Tests.Connections;

/// <summary>What <see cref="WebSocketServer.Prepare"/> tells another HTTP server to answer; how the connection then runs is among the server's tests.</summary>
public sealed class AcceptedUpgradeTests
{
    [Theory]
    [InlineData(Heads.SampleAccept, Heads.SampleKey)]
    [InlineData(null)]
    [InlineData(null, "too short")]
    [InlineData(null, Heads.SampleKey, Heads.SampleKey)]
    public async Task It_knows_the_answer_to_the_requests_key_where_there_is_one_valid_key(string? accept, params string[] keys)
    {
        await using var server = new WebSocketServer(0);
        server.Map("/chat", LambdaHandler.Echo());
        var upgrade = server.Prepare(WebSocketRequest.Create("/chat", keys.Select(key => KeyValuePair.Create("sec-websocket-key", key))))!;
        Assert.Equal(accept, upgrade.Accept);
    }
}
