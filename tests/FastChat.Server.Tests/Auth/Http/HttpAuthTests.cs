using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using FastChat.Server.Auth;
using FastChat.Server.Auth.Http;
using FastChat.Server.Auth.RateLimits;
using FastChat.Server.Auth.Tokens;
using FastChat.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FastChat.Server.Tests.Auth.Http;

/// <summary>The scheme, the policies and the filter in a real Kestrel on loopback.</summary>
public sealed class HttpAuthTests : IAsyncLifetime
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("fastchat-http-");
    private readonly FakeTimeProvider _time = new();
    private WebApplication _app = null!;
    private HttpClient _http = null!;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.Services.AddFastChatAuth(
            new AuthOptions(), new RateLimitOptions { PerMinute = 3 }, UserIdTrust.LocalOnly, _directory.FullName);
        _app = builder.Build();
        _app.MapGet("/open", () => "open");
        var users = _app.MapGroup("").RequireAuthorization(FastChatAuth.UserPolicy).AddEndpointFilter<RateLimitFilter>();
        users.MapGet("/me", (HttpContext context) => context.GetChatUser()!.Id);
        users.MapGet("/admin", (HttpContext context) => context.User.Identity!.Name).RequireAuthorization(FastChatAuth.AdminPolicy);
        _app.MapPost("/by-body", (HttpContext context, IUserAuthenticator authenticator, UserRateLimiter limiter, string id) =>
        {
            var result = context.IdentifyByUserId(authenticator, id);
            return result.User is { } user
                ? RateLimitFilter.TryTake(context, limiter, user.Id) ?? Results.Text(user.Id)
                : Results.Text(result.Failure.ToString());
        });
        await _app.StartAsync().WaitAsync(Hosting.TestServer.Patience);
        _http = new HttpClient { BaseAddress = new Uri(_app.Urls.Single()), Timeout = Hosting.TestServer.Patience };
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    private Task<string> TokenAsync(bool admin = false) =>
        _app.Services.GetRequiredService<TokenIssuer>().IssueAsync("u1", "Ada", TimeSpan.FromHours(1), admin);

    private async Task<HttpResponseMessage> GetAsync(string path, string? token = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        foreach (var (name, value) in headers)
            request.Headers.Add(name, value);
        return await _http.SendAsync(request);
    }

    private static async Task<string> DetailAsync(HttpResponseMessage response)
    {
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal((int)response.StatusCode, problem.RootElement.GetProperty("status").GetInt32());
        return problem.RootElement.GetProperty("detail").GetString()!;
    }

    [Fact]
    public async Task A_token_lets_in_by_header_and_by_query()
    {
        string token = await TokenAsync();
        using var byHeader = await GetAsync("/me", token);
        using var byQuery = await GetAsync($"/me?token={token}");
        Assert.Equal(("u1", "u1"), (await byHeader.Content.ReadAsStringAsync(), await byQuery.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task Without_credentials_the_answer_is_a_challenge()
    {
        using var response = await GetAsync("/me");
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("Bearer realm=\"fastchat\"", response.Headers.WwwAuthenticate.ToString());
        Assert.Equal(AuthFailure.NoCredentials.Describe(), await DetailAsync(response));
        using var open = await GetAsync("/open", "nonsense");
        Assert.Equal(HttpStatusCode.OK, open.StatusCode);
    }

    [Fact]
    public async Task A_bad_token_is_told_why()
    {
        string token = await TokenAsync();
        _time.Advance(TimeSpan.FromHours(2));
        using var response = await GetAsync("/me", token);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal(
            "Bearer realm=\"fastchat\", error=\"invalid_token\", error_description=\"The token has expired.\"",
            response.Headers.WwwAuthenticate.ToString());
        Assert.Equal("The token has expired.", await DetailAsync(response));
        using var twice = await GetAsync($"/me?token={token}&token={token}");
        Assert.Equal(AuthFailure.Malformed.Describe(), await DetailAsync(twice));
    }

    [Fact]
    public async Task Only_admins_reach_admin_routes()
    {
        using var user = await GetAsync("/admin", await TokenAsync());
        Assert.Equal(HttpStatusCode.Forbidden, user.StatusCode);
        Assert.Equal("This needs the admin role.", await DetailAsync(user));
        using var trusted = await GetAsync("/admin?user_id=admin");
        Assert.Equal(HttpStatusCode.Forbidden, trusted.StatusCode);
        using var admin = await GetAsync("/admin", await TokenAsync(admin: true));
        Assert.Equal("Ada", await admin.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_user_id_identifies_on_loopback_but_not_through_a_proxy_or_from_another_site()
    {
        using var local = await GetAsync("/me", null, ("X-User-ID", "ada"));
        Assert.Equal("ada", await local.Content.ReadAsStringAsync());
        using var proxied = await GetAsync("/me?user_id=ada", null, ("X-Forwarded-For", "203.0.113.7"));
        Assert.Equal(AuthFailure.UserIdNotTrusted.Describe(), await DetailAsync(proxied));
        using var crossSite = await GetAsync("/me?user_id=ada", null, ("Origin", "https://evil.example"));
        Assert.Equal(HttpStatusCode.Unauthorized, crossSite.StatusCode);
        using var byBody = await _http.PostAsync(new Uri("/by-body?id=ada", UriKind.Relative), null);
        Assert.Equal("ada", await byBody.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task One_request_too_many_is_answered_429_with_the_time_to_wait()
    {
        string token = await TokenAsync();
        for (int left = 2; left >= 0; left--)
        {
            using var passed = await GetAsync("/me", token);
            Assert.Equal(HttpStatusCode.OK, passed.StatusCode);
            Assert.Equal(("3", $"{left}", "60"), RateLimit(passed));
        }
        using var refused = await GetAsync("/me", token);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(60), refused.Headers.RetryAfter?.Delta);
        Assert.Equal(("3", "0", "60"), RateLimit(refused));
        Assert.Equal("Too many requests: 3 are allowed. Try again in 60 s.", await DetailAsync(refused));

        // The same counters, asked as a socket asks.
        Assert.False(_app.Services.GetRequiredService<UserRateLimiter>().Check("u1").Allowed);
        using var other = await GetAsync("/me?user_id=bob");
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        _time.Advance(TimeSpan.FromSeconds(60));
        using var again = await GetAsync("/me", token);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    private static (string, string, string) RateLimit(HttpResponseMessage response)
    {
        string One(string name) => response.Headers.GetValues(name).Single();
        return (One("RateLimit-Limit"), One("RateLimit-Remaining"), One("RateLimit-Reset"));
    }
}
