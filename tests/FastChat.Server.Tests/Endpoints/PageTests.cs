using System.Net;
using FastChat.Server.Endpoints;
using FastChat.Server.Tests.Hosting;

namespace FastChat.Server.Tests.Endpoints;

/// <summary>The page and its way to sign in.</summary>
public sealed class PageTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Every_file_is_served_with_its_type_a_tag_and_a_policy()
    {
        var files = PageEndpoints.Read().ToArray();
        Assert.Contains(files, f => f.Path == "index.html");
        foreach (var file in files)
        {
            using var response = await _server.Http.GetAsync(new Uri("/" + file.Path, UriKind.Relative));
            Assert.Equal(file.Content, await response.Content.ReadAsByteArrayAsync());
            Assert.NotEqual("application/octet-stream", response.Content.Headers.ContentType?.MediaType);
            Assert.Contains("default-src 'none'", response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
            Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
            using var again = new HttpRequestMessage(HttpMethod.Get, "/" + file.Path);
            again.Headers.Add("If-None-Match", response.Headers.ETag!.ToString());
            using var unchanged = await _server.Http.SendAsync(again);
            Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        }
    }

    [Fact]
    public async Task The_root_is_the_page_zipped_where_that_is_understood()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("Accept-Encoding", "gzip, br");
        using var response = await _server.Http.SendAsync(request);
        Assert.Equal(["gzip"], response.Content.Headers.ContentEncoding);
        Assert.Equal("text/html; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        using var head = await _server.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/"));
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
    }

    [Fact]
    public async Task A_development_token_signs_in_on_this_machine()
    {
        using var issued = await _server.Http.SendAsync("POST", "/auth/dev-token", new { name = "ada" });
        var token = await issued.JsonAsync();
        Assert.Equal((await _server.UserAsync("ada")).Id, token.Text("user_id"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/conversations");
        request.Headers.Add("Authorization", "Bearer " + token.Text("token"));
        using var listed = await _server.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, listed.StatusCode);
        using var admin = new HttpRequestMessage(HttpMethod.Get, "/users/x");
        admin.Headers.Add("Authorization", "Bearer " + token.Text("token"));
        using var refused = await _server.Http.SendAsync(admin);
        await refused.DetailAsync(403);
        using var again = await _server.Http.SendAsync("POST", "/auth/dev-token", new { name = "ada" });
        Assert.Equal(token.Text("user_id"), (await again.JsonAsync()).Text("user_id"));
    }

    [Fact]
    public async Task Whoever_asks_for_a_new_name_at_the_same_time_gets_a_token_of_the_same_user()
    {
        for (int round = 0; round < 5; round++)
        {
            string name = $"twins {round}";
            var issued = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
            {
                using var response = await _server.Http.SendAsync("POST", "/auth/dev-token", new { name });
                return (await response.JsonAsync()).Text("user_id");
            })).WaitAsync(TestServer.Patience);
            Assert.Single(issued.Distinct());
        }
    }

    [Theory]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("X-Forwarded-For", "203.0.113.7")]
    [InlineData("Host", "evil.example")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    public async Task A_development_token_is_not_for_other_sites_or_through_proxies(string header, string value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/dev-token") { Content = System.Net.Http.Json.JsonContent.Create(new { name = "ada" }) };
        request.Headers.TryAddWithoutValidation(header, value);
        using var refused = await _server.Http.SendAsync(request);
        await refused.DetailAsync(404);
    }

    [Fact]
    public async Task There_are_no_development_tokens_on_a_public_address_or_when_turned_off()
    {
        foreach (var settings in (Dictionary<string, string?>[])[new() { ["Host"] = "*", ["DevTokens"] = "true" }, new() { ["DevTokens"] = "false" }])
        {
            await using var server = await TestServer.StartAsync(settings);
            using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{server.Address.Port}"), Timeout = TestServer.Patience };
            using var refused = await http.SendAsync("POST", "/auth/dev-token", new { name = "ada" });
            Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
        }
    }
}
