using System.Net;
using FastChat.Chat;
using FastChat.Server.Auth.Tokens;
using FastChat.Server.Hosting;
using FastChat.Storage;
using FastChat.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FastChat.Server.Tests.Hosting;

/// <summary>The same server in somebody else's ASP.NET Core application.</summary>
public sealed class LibraryTests : IAsyncLifetime
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("fastchat-library-");

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync()
    {
        _data.Delete(recursive: true);
        return default;
    }

    private async Task<WebApplication> StartAsync(Action<WebApplication> map, Dictionary<string, string?>? settings = null)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(settings ?? []);
        builder.AddFastChat(options => options.DataDirectory = _data.FullName);
        var app = builder.Build();
        app.MapGet("/theirs", () => "theirs");
        map(app);
        await app.StartAsync().WaitAsync(TestServer.Patience);
        return app;
    }

    private static async Task<string> TokenAsync(WebApplication app)
    {
        var user = (await app.Services.GetRequiredService<IChatStore>().CreateUserAsync("ada").WaitAsync(TestServer.Patience))!;
        return await app.Services.GetRequiredService<TokenIssuer>().IssueAsync(user.Id, user.Name, TimeSpan.FromHours(1)).WaitAsync(TestServer.Patience);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/api/v2")]
    public async Task Routes_and_sockets_work_beside_the_applications_own(string prefix)
    {
        await using var app = await StartAsync(app => ((IEndpointRouteBuilder)(prefix.Length > 0 ? app.MapGroup(prefix) : app)).MapFastChat());
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()), Timeout = TestServer.Patience };
        Assert.Equal("theirs", await http.GetStringAsync(new Uri("/theirs", UriKind.Relative)));
        using (var refused = await http.GetAsync(new Uri(prefix + "/conversations", UriKind.Relative)))
            await refused.DetailAsync(401);
        string token = await TokenAsync(app);
        http.DefaultRequestHeaders.Add("Authorization", "Bearer " + token);
        using var opened = await http.SendAsync("POST", prefix + "/chatbot/assistant/session");
        var session = await opened.JsonAsync();
        using var socket = await TestSocket.ConnectAsync(http.BaseAddress, $"{prefix}/ws/chat/{session.Text("session_id")}?token={token}", []);
        await socket.NextAsync("session_info");
        await socket.SendAsync(new { message = "Hello" });
        Assert.NotEmpty((await socket.SkipToAsync("response_complete")).Text("full_response"));
        await socket.CloseAsync();
        using var text = await TestSocket.ConnectAsync(http.BaseAddress, $"{prefix}/ws/?token={token}", []);
        await text.SendAsync("Hello");
        Assert.NotEmpty(await text.TextAsync());
        await text.CloseAsync();
        Assert.Equal(2, (await http.GetJsonAsync(prefix + "/conversations")).GetArrayLength());
        using var page = await http.GetAsync(new Uri(prefix + "/index.html", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        await app.StopAsync().WaitAsync(TestServer.Patience);
    }

    [Fact]
    public async Task A_user_id_alone_and_development_tokens_are_off_unless_asked_for()
    {
        await using (var app = await StartAsync(app => app.MapFastChat()))
        {
            using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()), Timeout = TestServer.Patience };
            using var chat = await http.SendAsync("POST", "/chat", new { message = "Hi", user_id = "me" });
            await chat.DetailAsync(401);
            using var token = await http.SendAsync("POST", "/auth/dev-token", new { name = "me" });
            Assert.Equal(HttpStatusCode.NotFound, token.StatusCode);
        }
        await using (var app = await StartAsync(app => app.MapFastChat(), new() { ["FastChat:Auth:TrustUserId"] = "true", ["FastChat:Page"] = "false" }))
        {
            using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()), Timeout = TestServer.Patience };
            using var chat = await http.SendAsync("POST", "/chat", new { message = "Hi", user_id = "me" });
            await chat.JsonAsync();
            using var page = await http.GetAsync(new Uri("/", UriKind.Relative));
            Assert.Equal(HttpStatusCode.NotFound, page.StatusCode);
        }
    }

    [Fact]
    public async Task What_the_application_has_registered_is_used()
    {
        var model = new ScriptedChatClient { Reply = _ => ["Theirs."] };
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<IModelCatalog>(new FakeModelCatalog(("theirs", model)));
        builder.Services.AddSingleton<IChatStore>(new MemoryChatStore(TimeProvider.System));
        builder.AddFastChat(options =>
        {
            options.DataDirectory = _data.FullName;
            options.Auth.TrustUserId = true;
        });
        await using var app = builder.Build();
        app.MapFastChat();
        await app.StartAsync().WaitAsync(TestServer.Patience);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()), Timeout = TestServer.Patience };
        using var chat = await http.SendAsync("POST", "/chat", new { message = "Hi", user_id = "me" });
        Assert.Equal("Theirs.", (await chat.JsonAsync()).Text("response"));
        Assert.Empty(_data.GetFiles("*.db"));
    }

    [Fact]
    public void Mistakes_in_settings_are_all_told()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["FastChat:Limits:MaxBodyBytes"] = "5",
            ["FastChat:Chat:MaxMessageBytes"] = "0",
            ["FastChat:Sockets:Nonsense"] = "1",
            ["FastChat:AllowedOrigins"] = "https://app.example.com/path",
        });
        var e = Assert.Throws<OptionsValidationException>(() => builder.AddFastChat());
        Assert.Equal(
        [
            "Sockets:Nonsense is not a setting.",
            "Chat:MaxMessageBytes is out of range.",
            "Limits:MaxBodyBytes must be between 1024 and 67108864.",
            "AllowedOrigins: 'https://app.example.com/path' is not an origin: write scheme://host or scheme://host:port.",
        ], e.Failures);
    }

    [Fact]
    public void Mapping_without_adding_says_what_is_missing()
    {
        var app = WebApplication.CreateBuilder().Build();
        Assert.Contains("AddFastChat", Assert.Throws<InvalidOperationException>(() => app.MapFastChat()).Message, StringComparison.Ordinal);
    }
}
