using System.Text.RegularExpressions;
using System.Threading.Channels;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FastChat.Browser.Tests;

/// <summary>Whatever is lost on the way: nothing is lost in the end, and nothing is there twice.</summary>
public sealed class ResumeTests(BrowserHost host)
{
    [Fact]
    public async Task A_reload_in_mid_answer_resumes_it()
    {
        await using var visitor = await host.OpenAsync(host.Slow);
        await visitor.SignInAsync();
        await visitor.SendAsync("Count to 1000");
        int before = await visitor.CountedAsync(5);
        await visitor.Page.ReloadAsync();

        await Expect(visitor.StopButton).ToBeVisibleAsync();
        await visitor.CountedAsync(before + 20);
        string part = await visitor.StopCountingAsync();
        await Expect(visitor.Questions).ToHaveTextAsync(["Count to 1000"]);
        await Expect(visitor.Answers).ToHaveTextAsync([part]);
    }

    [Fact]
    public async Task A_lost_network_resumes_after_the_last_chunk()
    {
        await using var visitor = await host.OpenAsync(host.Slow);
        visitor.Expect(Visitor.ServerIsGone());
        await visitor.SignInAsync();
        var sockets = Channel.CreateUnbounded<IWebSocketRoute>();
        await visitor.Page.RouteWebSocketAsync("**/ws/chat/**", socket =>
        {
            socket.ConnectToServer();
            sockets.Writer.TryWrite(socket);
        });
        await visitor.SendAsync("Count to 1000");
        await visitor.CountedAsync(5);
        await (await NextAsync()).CloseAsync(new() { Code = 4100 });
        await NextAsync();

        int before = await visitor.CountedAsync(5);
        await visitor.CountedAsync(before + 20);
        await visitor.StopCountingAsync();

        Task<IWebSocketRoute> NextAsync() => sockets.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromMilliseconds(Visitor.TimeoutMs));
    }

    [Fact]
    public async Task A_history_that_could_not_be_fetched_is_fetched_again()
    {
        await using var visitor = await host.OpenAsync();
        visitor.Expect(Visitor.ServerIsGone());
        await visitor.SignInAsync();
        await visitor.AskAsync("repeat after me: still here");
        int asked = 0;
        await visitor.Page.RouteAsync(new Regex("/conversations/[^/?]+\\?"), route =>
            ++asked == 1 ? route.AbortAsync(RequestAbortErrorCode.ConnectionReset) : route.ContinueAsync());
        await visitor.Page.ReloadAsync();

        await Expect(visitor.Answers).ToHaveTextAsync(["still here"]);
        Assert.True(asked > 1);
    }

    [Fact]
    public async Task A_connection_given_up_before_it_is_there_is_no_failure()
    {
        await using var visitor = await host.OpenAsync();
        // Chromium writes to the console when a socket is closed that is still connecting.
        int code = await visitor.Page.EvaluateAsync<int>("""
            async () => {
              const { Connection } = await import('/js/connection.js');
              let connection, socket;
              const made = new Promise(resolve => {
                globalThis.WebSocket = class extends WebSocket {
                  constructor(address) { super(address); socket = this; queueMicrotask(resolve); }
                };
              });
              connection = new Connection({
                address: async () => `ws://${location.host}/ws/?token=none`, message() {}, ended: () => 'close', failed: () => ({ verdict: 'close' }), state() {},
              });
              connection.connect();
              await made;
              const ended = new Promise(resolve => socket.addEventListener('close', e => resolve(e.code)));
              connection.dispose();
              return await ended;
            }
            """);
        Assert.NotEqual(1006, code);
    }

    [Fact]
    public async Task Two_tabs_see_the_same_stream()
    {
        await using var first = await host.OpenAsync(host.Slow);
        await first.SignInAsync();
        await first.AskAsync("12.5 * 4");
        await using var second = await first.OpenTabAsync();
        await Expect(second.Answers).ToHaveTextAsync(["12.5 * 4 = 50"]);
        await Expect(second.Pill).ToHaveTextAsync("Connected");
        await second.SendAsync("Count to 1000");

        await first.CountedAsync(20);
        await second.CountedAsync(20);
        string part = await first.StopCountingAsync();
        foreach (var tab in (Visitor[])[first, second])
        {
            await tab.AnsweredAsync();
            await Expect(tab.Questions).ToHaveTextAsync(["12.5 * 4", "Count to 1000"]);
            await Expect(tab.Answers).ToHaveTextAsync(["12.5 * 4 = 50", part]);
        }
    }

    [Fact]
    public async Task A_tab_whose_session_was_replaced_waits_and_goes_on_when_asked()
    {
        await using var first = await host.OpenAsync();
        await first.SignInAsync();
        await first.AskAsync("12.5 * 4");
        await using var second = await first.OpenTabAsync(first.Page.Url.Split('#')[0]);
        await second.AskAsync("7 * 6");

        await Expect(first.Pill).ToHaveTextAsync("Paused");
        await first.Page.GetByRole(AriaRole.Button, new() { Name = "Continue here" }).ClickAsync();
        await Expect(first.Pill).ToHaveTextAsync("Connected");
        Assert.Equal("8 / 2 = 4", await first.AskAsync("8 / 2"));
        await Expect(first.Questions).ToHaveTextAsync(["12.5 * 4", "8 / 2"]);
    }

    [Fact]
    public async Task A_server_that_is_killed_in_mid_answer_loses_and_doubles_nothing()
    {
        await using var server = await host.StartServerAsync();
        await using var visitor = await host.OpenAsync(server);
        visitor.Expect(Visitor.ServerIsGone());
        await visitor.SignInAsync();
        await visitor.AskAsync("12.5 * 4");
        await visitor.SendAsync("Count to 150");
        await Expect(visitor.Answers.Last).ToContainTextAsync("1 2 3 4 5");
        await server.KillAsync();
        await Expect(visitor.Pill).ToContainTextAsync("Reconnecting");
        await server.StartAsync();

        await Expect(visitor.Pill).ToHaveTextAsync("Connected");
        await visitor.AnsweredAsync();
        await ExpectAllAsync();
        // And so it is in the store.
        await visitor.Page.ReloadAsync();
        await visitor.LookAsync(ExpectAllAsync);

        async Task ExpectAllAsync()
        {
            await Expect(visitor.Questions).ToHaveTextAsync(["12.5 * 4", "Count to 150"]);
            await Expect(visitor.Answers).ToHaveTextAsync(["12.5 * 4 = 50", Visitor.CountTo(150)]);
        }
    }

    [Fact]
    public async Task What_is_written_while_the_server_is_down_is_sent_once_it_is_back()
    {
        await using var server = await host.StartServerAsync();
        await using var visitor = await host.OpenAsync(server);
        visitor.Expect(Visitor.ServerIsGone());
        await visitor.SignInAsync();
        await visitor.AskAsync("12.5 * 4");
        await server.KillAsync();
        await Expect(visitor.Pill).ToContainTextAsync("Reconnecting");
        await visitor.SendAsync("7 * 6");
        await Expect(visitor.Questions).ToHaveTextAsync(["12.5 * 4", "7 * 6"]);
        await server.StartAsync();

        await Expect(visitor.Answers).ToHaveTextAsync(["12.5 * 4 = 50", "7 * 6 = 42"]);
        await visitor.Page.ReloadAsync();
        await Expect(visitor.Questions).ToHaveTextAsync(["12.5 * 4", "7 * 6"]);
        await Expect(visitor.Answers).ToHaveTextAsync(["12.5 * 4 = 50", "7 * 6 = 42"]);
    }
}
