using System.Net;

namespace FastChat.Server.Tests.Hosting;

/// <summary>Stopping: not ready, nothing new, running answers have their time, 1001 behind the last message.</summary>
public sealed class DrainTests
{
    [Fact]
    public async Task A_running_answer_ends_before_its_socket_is_closed_with_1001()
    {
        await using var server = await TestServer.StartAsync(new() { ["DrainTimeout"] = "5m" });
        server.Model.Reply = null;
        var (socket, _) = await server.ChatAsync("ada");
        using var idle = await server.ConnectAsync($"/ws/?token={await server.TokenAsync("bob")}");
        using (socket)
        {
            await socket.SendAsync(new { message = "Go" });
            await socket.SkipToAsync("response_start");
            var answer = await server.Model.NextAsync();
            var stopping = server.StopAsync();
            using (var ready = await WhenNotReadyAsync(server))
                Assert.Equal("""{"status":"stopping"}""", await ready.Content.ReadAsStringAsync());
            using (var live = await server.Http.GetAsync(new Uri("/health/live", UriKind.Relative)))
                Assert.Equal(HttpStatusCode.OK, live.StatusCode);
            using (var chat = await server.Http.SendAsync("POST", "/chat", new { message = "late", user_id = "late" }))
                await chat.DetailAsync(503);
            Assert.Equal(503, (await Assert.ThrowsAsync<RefusedException>(() => server.ConnectAsync("/ws?user_id=late"))).Status);
            // Late messages are refused in their dialect; the socket lives on.
            await socket.SendAsync(new { message = "late" });
            Assert.Equal("shutting_down", (await socket.SkipToAsync("error")).Text("code"));

            answer.Say("All of ", "it.").Finish();
            var complete = await socket.SkipToAsync("response_complete");
            Assert.Equal(("All of it.", "stop"), (complete.Text("full_response"), complete.Text("finish_reason")));
            foreach (var open in (TestSocket[])[socket, idle])
            {
                Assert.Equal(1001, (await open.ClosedAsync()).Code);
                await open.CloseAsync();
            }
            await stopping;
        }
        await Assert.ThrowsAsync<HttpRequestException>(() => server.Http.GetAsync(new Uri("/health/live", UriKind.Relative)));
    }

    [Fact]
    public async Task An_answer_beyond_the_deadline_is_cut_short_and_kept()
    {
        var data = Directory.CreateTempSubdirectory("fastchat-drain-");
        try
        {
            string conversation;
            await using (var server = await TestServer.StartAsync(new() { ["DrainTimeout"] = "1s" }, data: data))
            {
                server.Model.Reply = null;
                var (socket, session) = await server.ChatAsync("ada");
                using (socket)
                {
                    conversation = session.Text("conversation_id");
                    await socket.SendAsync(new { message = "Go" });
                    (await server.Model.NextAsync()).Say("Half");
                    await socket.SkipToAsync("response_chunk");
                    var stopping = server.StopAsync();
                    var complete = await socket.SkipToAsync("response_complete");
                    Assert.Equal(("Half", "truncated"), (complete.Text("full_response"), complete.Text("finish_reason")));
                    Assert.Equal(1001, (await socket.ClosedAsync()).Code);
                    await socket.CloseAsync();
                    await stopping;
                }
            }
            await using var again = await TestServer.StartAsync(data: data);
            using var client = await again.ClientAsync("ada");
            var kept = await client.GetJsonAsync($"/conversations/{conversation}");
            Assert.Equal(["Go", "Half"], kept.GetProperty("messages").EnumerateArray().Select(m => m.Text("content")));
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    private static async Task<HttpResponseMessage> WhenNotReadyAsync(TestServer server)
    {
        using var patience = new CancellationTokenSource(TestServer.Patience);
        while (true)
        {
            var response = await server.Http.GetAsync(new Uri("/health/ready", UriKind.Relative), patience.Token);
            if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
                return response;
            response.Dispose();
        }
    }
}
