using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FastChat.Browser.Tests;

/// <summary>What is written while the page still loads.</summary>
public sealed class EarlyMessageTests(BrowserHost host)
{
    [Fact]
    public async Task A_message_sent_before_the_page_is_ready_goes_out_when_it_is()
    {
        await using var visitor = await host.OpenAsync();
        await visitor.SignInAsync();
        var ready = await ReloadAsync(visitor);
        await visitor.SendAsync("Count to 3");
        await Expect(visitor.Input).ToHaveValueAsync("Count to 3");
        await Expect(visitor.Questions).ToHaveCountAsync(0);
        ready.SetResult();

        await Expect(visitor.Answers).ToHaveTextAsync([Visitor.CountTo(3)]);
        await Expect(visitor.Questions).ToHaveTextAsync(["Count to 3"]);
        await Expect(visitor.Input).ToHaveValueAsync("");
    }

    [Fact]
    public async Task Who_writes_on_sends_it_again()
    {
        await using var visitor = await host.OpenAsync();
        string name = await visitor.SignInAsync();
        var ready = await ReloadAsync(visitor);
        await visitor.SendAsync("Count to 3");
        await visitor.Input.FillAsync("Count to 4");
        ready.SetResult();
        await Expect(visitor.Page.GetByRole(AriaRole.Heading, new() { Name = $"Hello {name}" })).ToBeVisibleAsync();
        await Expect(visitor.Input).ToHaveValueAsync("Count to 4");

        await visitor.Input.PressAsync("Enter");
        await Expect(visitor.Answers).ToHaveTextAsync([Visitor.CountTo(4)]);
        await Expect(visitor.Questions).ToHaveTextAsync(["Count to 4"]);
    }

    /// <summary>Loads the page again, which is not ready before its chatbots have come.</summary>
    private static async Task<TaskCompletionSource> ReloadAsync(Visitor visitor)
    {
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await visitor.Page.RouteAsync(new Regex("/chatbots(\\?|$)"), async route =>
        {
            await ready.Task;
            await route.ContinueAsync();
        });
        await visitor.Page.ReloadAsync();
        return ready;
    }
}
