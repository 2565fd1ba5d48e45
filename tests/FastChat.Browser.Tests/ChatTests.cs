using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FastChat.Browser.Tests;

public sealed class ChatTests(BrowserHost host)
{
    [Fact]
    public async Task An_answer_appears_while_it_is_produced()
    {
        await using var visitor = await host.OpenAsync(host.Slow);
        await visitor.SignInAsync();
        // Looked at from within the page, which sees every change of its own however slowly this test gets to look.
        await visitor.Page.EvaluateAsync("""
            () => {
              window.seen = new Set();
              new MutationObserver(() => {
                const isRunning = document.querySelector('[aria-label="Stop answering"]') !== null;
                const text = document.querySelector('.message.assistant .message-body')?.textContent.trim();
                if (text) seen.add(`${isRunning}: ${text.split(/\s+/).length}`);
              }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
            }
            """);
        await visitor.SendAsync("Count to 100");
        await Expect(visitor.Answers).ToHaveTextAsync([Visitor.CountTo(100)]);
        await visitor.AnsweredAsync();
        string[] seen = await visitor.Page.EvaluateAsync<string[]>("() => [...window.seen]");
        Assert.True(seen.Count(s => s.StartsWith("true", StringComparison.Ordinal)) > 1, string.Join(", ", seen));

        await Expect(visitor.Questions).ToHaveTextAsync(["Count to 100"]);
        await Expect(visitor.Answers).ToHaveTextAsync([Visitor.CountTo(100)]);
        await Expect(visitor.Conversations).ToHaveTextAsync(["Count to 100"]);
        await Expect(visitor.Page).ToHaveTitleAsync("Count to 100 · FastChat");
        await Expect(visitor.Pill).ToHaveTextAsync("Connected");
    }

    [Fact]
    public async Task Stop_keeps_the_part_that_came()
    {
        await using var visitor = await host.OpenAsync(host.Slow);
        await visitor.SignInAsync();
        await visitor.SendAsync("Count to 1000");
        await visitor.CountedAsync(5);
        string part = await visitor.StopCountingAsync();

        await visitor.Page.ReloadAsync();
        await Expect(visitor.Answers).ToHaveTextAsync([part]);
        await Expect(visitor.Page.GetByText("You stopped this answer.")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Try_again_asks_the_same_again()
    {
        await using var visitor = await host.OpenAsync();
        await visitor.SignInAsync();
        await visitor.AskAsync("12.5 * 4");
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();

        await Expect(visitor.Answers).ToHaveTextAsync(["12.5 * 4 = 50", "12.5 * 4 = 50"]);
        await Expect(visitor.Questions).ToHaveTextAsync(["12.5 * 4", "12.5 * 4"]);
    }

    [Fact]
    public async Task A_message_that_came_too_fast_is_sent_again_by_itself()
    {
        await using var visitor = await host.OpenAsync();
        await visitor.SignInAsync();
        var refused = new TaskCompletionSource();
        await visitor.Page.RouteWebSocketAsync("**/ws/chat/**", socket =>
        {
            var server = socket.ConnectToServer();
            socket.OnMessage(frame =>
            {
                if (!refused.TrySetResult())
                {
                    server.Send(frame.Text!);
                    return;
                }
                using var message = System.Text.Json.JsonDocument.Parse(frame.Text!);
                string id = message.RootElement.GetProperty("client_message_id").GetString()!;
                socket.Send($$"""{"type":"error","code":"rate_limited","message":"Too many requests.","retry_after":2,"client_message_id":"{{id}}"}""");
            });
        });
        await visitor.Page.EvaluateAsync("""
            () => {
              const banner = document.getElementById('banner-text');
              window.told = [];
              new MutationObserver(() => told.push(banner.textContent)).observe(banner, { childList: true, characterData: true, subtree: true });
            }
            """);
        await visitor.SendAsync("Hello");
        await refused.Task.WaitAsync(TimeSpan.FromMilliseconds(Visitor.TimeoutMs));
        await visitor.AnsweredAsync();
        Assert.Contains("You are faster than the server allows. It goes on in 2 s.", await visitor.Page.EvaluateAsync<string[]>("() => window.told"));
        await Expect(visitor.Answers).ToContainTextAsync("offline model");
        await Expect(visitor.Questions).ToHaveCountAsync(1);
        await Expect(visitor.Page.Locator("#banner")).ToBeHiddenAsync();
    }

    [Fact]
    public async Task Each_conversation_keeps_its_draft()
    {
        await using var visitor = await host.OpenAsync();
        await visitor.SignInAsync();
        await visitor.AskAsync("12.5 * 4");
        await visitor.Input.FillAsync("half a thought");
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "New chat" }).First.ClickAsync();
        await Expect(visitor.Input).ToHaveValueAsync("");
        await visitor.Input.FillAsync("another thought");
        await visitor.Page.ReloadAsync();
        await Expect(visitor.Input).ToHaveValueAsync("another thought");

        await visitor.Conversations.ClickAsync();
        await Expect(visitor.Input).ToHaveValueAsync("half a thought");
    }

    [Fact]
    public async Task A_reader_who_scrolled_up_is_left_alone()
    {
        await using var visitor = await host.OpenAsync(host.Slow, new() { ViewportSize = new() { Width = 900, Height = 420 } });
        await visitor.SignInAsync();
        await visitor.AskAsync("Show me markdown");
        await visitor.SendAsync("Count to 1000");
        await visitor.CountedAsync(40);
        await Expect(visitor.Answers.Last).ToBeInViewportAsync();
        await visitor.Page.Locator("#scroller").HoverAsync();
        await visitor.Page.Mouse.WheelAsync(0, -600);
        var jump = visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Jump to the newest message" });
        await Expect(jump).ToBeVisibleAsync();
        // Where the wheel's own movement has ended.
        double before = await visitor.Page.EvaluateAsync<double>("""
            async () => {
              const scroller = document.getElementById('scroller');
              for (let top = NaN, still = 0; still < 10; still = top === scroller.scrollTop ? still + 1 : 0, top = scroller.scrollTop)
                await new Promise(requestAnimationFrame);
              return scroller.scrollTop;
            }
            """);
        double height = await visitor.Page.EvaluateAsync<double>("() => document.getElementById('scroller').scrollHeight");
        await visitor.Page.WaitForFunctionAsync("before => document.getElementById('scroller').scrollHeight > before + 40", height);
        Assert.Equal(before, await visitor.Page.EvaluateAsync<double>("() => document.getElementById('scroller').scrollTop"));

        await jump.ClickAsync();
        await Expect(jump).ToBeHiddenAsync();
        await visitor.Page.Keyboard.PressAsync("Escape");
        await Expect(visitor.Page.GetByText("You stopped this answer.")).ToBeInViewportAsync();
    }
}
