using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FastChat.Server.Tests.Hosting;

/// <summary>What a collector on loopback receives.</summary>
public sealed class TelemetryTests
{
    [Fact]
    public async Task Metrics_and_traces_reach_the_configured_collector_and_hold_no_token()
    {
        var received = new ConcurrentDictionary<string, string>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var collector = builder.Build();
        collector.MapPost("/otlp/v1/{signal}", async (HttpRequest request, string signal) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            received.AddOrUpdate(signal, _ => Encoding.UTF8.GetString(body.ToArray()), (_, seen) => seen + Encoding.UTF8.GetString(body.ToArray()));
        });
        await collector.StartAsync().WaitAsync(TestServer.Patience);

        string token;
        await using (var server = await TestServer.StartAsync(new() { ["Telemetry:OtlpEndpoint"] = collector.Urls.Single() + "/otlp" }))
        {
            token = await server.TokenAsync("ada");
            using var listed = await server.Http.GetAsync(new Uri($"/conversations?token={token}", UriKind.Relative));
            listed.EnsureSuccessStatusCode();
            using var socket = await server.ConnectAsync($"/ws/?token={token}");
            await socket.SendAsync("Hi");
            await socket.TextAsync();
            await socket.CloseAsync();
            await server.StopAsync();
        }
        string metrics = received["metrics"], traces = received["traces"];
        foreach (string name in (string[])["fastchat.connections", "fastchat.messages.received", "fastchat.bytes.sent", "fastchat.generations",
            "fastchat.generation.time_to_first_chunk", "fastchat.store.commit.duration", "http.server.request.duration"])
            Assert.Contains(name, metrics, StringComparison.Ordinal);
        Assert.Contains("/conversations", traces, StringComparison.Ordinal);
        Assert.DoesNotContain(token, metrics + traces, StringComparison.Ordinal);
    }
}
