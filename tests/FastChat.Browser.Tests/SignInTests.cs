using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FastChat.Browser.Tests;

public sealed class SignInTests(BrowserHost host)
{
    [Fact]
    public async Task Whoever_signs_in_stays_signed_in_until_they_sign_out()
    {
        await using var visitor = await host.OpenAsync();
        string name = await visitor.SignInAsync();
        await visitor.AskAsync("12.5 * 4");
        await visitor.Input.FillAsync("not for the next one");
        await visitor.Page.ReloadAsync();
        await Expect(visitor.Conversations).ToHaveCountAsync(1);
        var account = visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Account and theme" });
        await Expect(account).ToContainTextAsync(name);
        await account.ClickAsync();
        await visitor.Page.GetByRole(AriaRole.Menuitem, new() { Name = "Sign out" }).ClickAsync();

        await Expect(visitor.Page.GetByRole(AriaRole.Heading, new() { Name = "Welcome to FastChat" })).ToBeVisibleAsync();
        Assert.DoesNotContain("not for the next one", await visitor.Page.EvaluateAsync<string>("() => JSON.stringify(localStorage)"), StringComparison.Ordinal);
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Continue" }).ClickAsync();
        await Expect(visitor.Conversations).ToHaveTextAsync(["12.5 * 4"]);
    }

    [Fact]
    public async Task A_token_can_be_pasted()
    {
        await using var visitor = await host.OpenAsync();
        visitor.Expect(Visitor.Refusals());
        using var http = new HttpClient();
        using var response = await http.PostAsJsonAsync(new Uri(new Uri(visitor.Page.Url), "/auth/dev-token"), new { name = "Grace" });
        string token = (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("token").GetString()!;
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Use a token instead" }).ClickAsync();
        var field = visitor.Page.GetByLabel("Access token");
        var error = visitor.Page.GetByRole(AriaRole.Alert);
        await field.FillAsync("hello");
        await field.PressAsync("Enter");
        await Expect(error).ToContainTextAsync("This is not a token");
        await field.FillAsync(token[..^4] + "AAAA");
        await field.PressAsync("Enter");
        await Expect(error).ToContainTextAsync("does not take this token");
        await field.FillAsync(token);
        await field.PressAsync("Enter");

        await Expect(visitor.Page.GetByRole(AriaRole.Heading, new() { Name = "Hello Grace" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_token_that_expires_while_it_is_used_leads_back_to_the_door()
    {
        await using var visitor = await host.OpenAsync();
        visitor.Expect(new Regex($"{Visitor.Refusals()}|{Visitor.ServerIsGone()}"));
        // Long enough to be used before it expires; how long that takes depends on what else the machine does.
        for (int seconds = 5; ; seconds *= 4)
        {
            string token = await host.Server!.TokenAsync("Grace H", $"{seconds}s");
            await visitor.Page.ReloadAsync();
            await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Use a token instead" }).ClickAsync();
            await visitor.Page.GetByLabel("Access token").FillAsync(token);
            await visitor.Page.GetByLabel("Access token").PressAsync("Enter");
            var alert = visitor.Page.GetByRole(AriaRole.Alert);
            await Expect(visitor.Input.Or(alert).First).ToBeVisibleAsync();
            if (await visitor.Input.IsVisibleAsync())
            {
                await visitor.SendAsync("12.5 * 4");
                await Expect(visitor.Page.Locator(".message.assistant[data-state=done]").Or(alert).First).ToBeVisibleAsync();
                if (await visitor.Answers.CountAsync() > 0)
                {
                    await Expect(alert).ToContainTextAsync("Please sign in again");
                    return;
                }
            }
            Assert.True(seconds < 60, "A token of more than a minute was not enough.");
        }
    }

    [Fact]
    public async Task A_token_that_is_no_longer_valid_leads_back_to_the_door()
    {
        await using var visitor = await host.OpenAsync();
        visitor.Expect(Visitor.Refusals());
        await visitor.SignInAsync();
        await visitor.Page.EvaluateAsync("""
            () => localStorage.setItem('fastchat.token', JSON.stringify(JSON.parse(localStorage.getItem('fastchat.token')).slice(0, -4) + 'AAAA'))
            """);
        await visitor.Page.ReloadAsync();

        await Expect(visitor.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Please sign in again");
    }
}
