using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FastChat.Browser.Tests;

public sealed class ConversationTests(BrowserHost host)
{
    [Fact]
    public async Task Search_finds_words_of_messages()
    {
        await using var visitor = await host.OpenAsync();
        await visitor.SignInAsync();
        await visitor.AskAsync("Tell me of the aardvark");
        await NewChatAsync(visitor);
        await visitor.AskAsync("Tell me of the zebra");
        await Expect(visitor.Conversations).ToHaveTextAsync(["Tell me of the zebra", "Tell me of the aardvark"]);
        await visitor.Page.GetByLabel("Search conversations").FillAsync("aardvark");

        await Expect(visitor.Conversations).ToHaveCountAsync(1);
        await Expect(visitor.Conversations.Locator("mark").First).ToHaveTextAsync("aardvark");
        await visitor.Conversations.ClickAsync();
        await Expect(visitor.Questions).ToHaveTextAsync(["Tell me of the aardvark"]);
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Clear search" }).ClickAsync();
        await Expect(visitor.Conversations).ToHaveCountAsync(2);
    }

    [Fact]
    public async Task A_link_is_followed_though_the_server_fails_at_first()
    {
        await using var visitor = await host.OpenAsync();
        visitor.Expect(new Regex("Failed to load resource: the server responded with a status of 503"));
        await visitor.SignInAsync();
        await visitor.AskAsync("repeat after me: found");
        int asked = 0;
        // The list does not show it, so it has to be looked for.
        await visitor.Page.RouteAsync("**/conversations?*", route => route.FulfillAsync(new() { ContentType = "application/json", Body = "[]" }));
        await visitor.Page.RouteAsync(new Regex("/conversations/[^/?]+\\?"), route => ++asked <= 2
            ? route.FulfillAsync(new() { Status = 503, ContentType = "application/problem+json", Body = """{"status":503,"detail":"Not now."}""" })
            : route.ContinueAsync());
        string url = visitor.Page.Url;
        await visitor.Page.ReloadAsync();

        await Expect(visitor.Answers).ToHaveTextAsync(["found"]);
        Assert.Equal(url, visitor.Page.Url);
        Assert.True(asked > 2);
        await visitor.AskAsync("repeat after me: still");
        await Expect(visitor.Answers).ToHaveTextAsync(["found", "still"]);
    }

    [Fact]
    public async Task A_link_to_nothing_leads_to_a_new_conversation_and_sends_nothing_there()
    {
        await using var visitor = await host.OpenAsync();
        visitor.Expect(Visitor.Refusals());
        string name = await visitor.SignInAsync();
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await visitor.Page.RouteAsync("**/conversations/nothing?*", async route =>
        {
            await ready.Task;
            await route.ContinueAsync();
        });
        await visitor.Page.GotoAsync(new Uri(new Uri(visitor.Page.Url), "/?again#/c/nothing").ToString());
        await visitor.SendAsync("For somebody else");
        ready.SetResult();

        await Expect(visitor.Page.GetByText("Conversation not found")).ToBeVisibleAsync();
        await Expect(visitor.Page.GetByRole(AriaRole.Heading, new() { Name = $"Hello {name}" })).ToBeVisibleAsync();
        await Expect(visitor.Input).ToHaveValueAsync("For somebody else");
        await Expect(visitor.Questions).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_conversation_can_be_renamed()
    {
        await using var visitor = await host.OpenAsync();
        await visitor.SignInAsync();
        await visitor.AskAsync("12.5 * 4");
        await visitor.ChooseAsync("Rename");
        await visitor.Page.GetByLabel("Title").FillAsync("Sums & <b>differences</b>");
        await visitor.Page.GetByLabel("Title").PressAsync("Enter");

        await Expect(visitor.Conversations).ToHaveTextAsync(["Sums & <b>differences</b>"]);
        await Expect(visitor.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Sums & <b>differences</b>");
        await visitor.Page.ReloadAsync();
        await Expect(visitor.Conversations).ToHaveTextAsync(["Sums & <b>differences</b>"]);
    }

    [Fact]
    public async Task A_conversation_is_deleted_only_when_that_is_confirmed()
    {
        await using var visitor = await host.OpenAsync();
        await visitor.SignInAsync();
        await visitor.AskAsync("12.5 * 4");
        string url = visitor.Page.Url;
        await visitor.ChooseAsync("Delete");
        var dialog = visitor.Page.GetByRole(AriaRole.Dialog, new() { Name = "Delete this conversation?" });
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        await Expect(visitor.Conversations).ToHaveCountAsync(1);
        await visitor.ChooseAsync("Delete");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();

        await Expect(visitor.Conversations).ToHaveCountAsync(0);
        await Expect(visitor.Page.GetByText("what is on your mind?")).ToBeVisibleAsync();
        visitor.Expect(Visitor.Refusals());
        await visitor.Page.GotoAsync(url);
        await Expect(visitor.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("not found");
    }

    [Theory]
    [InlineData("Markdown", "12-5-4.md")]
    [InlineData("JSON", "12-5-4.json")]
    public async Task A_conversation_can_be_taken_away(string format, string name)
    {
        await using var visitor = await host.OpenAsync();
        await visitor.SignInAsync();
        await visitor.AskAsync("12.5 * 4");
        var download = await visitor.Page.RunAndWaitForDownloadAsync(() => visitor.ChooseAsync($"Export as {format}"));

        Assert.Equal(name, download.SuggestedFilename);
        string text = await File.ReadAllTextAsync(await download.PathAsync());
        if (format == "JSON")
        {
            using var json = JsonDocument.Parse(text);
            text = string.Join('\n', json.RootElement.GetProperty("messages").EnumerateArray().Select(m => m.GetProperty("content").GetString()));
        }
        Assert.Contains("12.5 * 4 = **50**", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_far_back_is_found_and_brought_into_sight()
    {
        await using var visitor = await host.OpenAsync();
        await visitor.SignInAsync();
        using var http = await visitor.ClientAsync();
        string? conversation = null;
        for (int i = 0; i < 60; i++)
        {
            using var response = await http.PostAsJsonAsync("/chat", new { message = i == 0 ? "the aardvark" : $"{i} * 2", conversation_id = conversation });
            conversation = (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("conversation_id").GetString();
        }
        await visitor.Page.ReloadAsync();
        await visitor.Conversations.ClickAsync();
        await Expect(visitor.Answers.Last).ToHaveTextAsync("59 * 2 = 118");
        await Expect(visitor.Answers.Last).ToBeInViewportAsync();
        await Expect(visitor.Questions).ToHaveCountAsync(50);
        await visitor.Page.GetByLabel("Search conversations").FillAsync("aardvark");
        await Expect(visitor.Conversations.Locator("mark").First).ToBeVisibleAsync();
        await visitor.Conversations.ClickAsync();

        await Expect(visitor.Page.Locator(".message.found")).ToContainTextAsync("the aardvark");
        await Expect(visitor.Page.Locator(".message.found")).ToBeInViewportAsync();
        await Expect(visitor.Questions).ToHaveCountAsync(60);
        await Expect(visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Show earlier messages" })).ToBeHiddenAsync();
    }

    [Fact]
    public async Task Another_tab_learns_of_a_new_conversation()
    {
        await using var first = await host.OpenAsync();
        await first.SignInAsync();
        await using var second = await first.OpenTabAsync();
        await Expect(second.Page.GetByText("Your conversations will be listed here.")).ToBeVisibleAsync();
        await first.AskAsync("12.5 * 4");

        await Expect(second.Conversations).ToHaveTextAsync(["12.5 * 4"]);
    }

    [Fact]
    public async Task A_list_that_changes_leaves_the_focus_where_it_is()
    {
        await using var visitor = await host.OpenAsync();
        await visitor.SignInAsync();
        await visitor.AskAsync("12.5 * 4");
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Options for 12.5 * 4" }).FocusAsync();
        using var http = await visitor.ClientAsync();
        string id = new Uri(visitor.Page.Url).Fragment["#/c/".Length..];
        using var renamed = await http.PatchAsJsonAsync($"/conversations/{id}", new { title = "Sums" });
        renamed.EnsureSuccessStatusCode();
        // As another tab tells it.
        await visitor.Page.EvaluateAsync("() => new BroadcastChannel('fastchat').postMessage('conversations')");

        await Expect(visitor.Conversations).ToHaveTextAsync(["Sums"]);
        await Expect(visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Options for Sums" })).ToBeFocusedAsync();
    }

    [Fact]
    public async Task A_list_that_has_not_changed_leaves_an_open_menu_its_button()
    {
        await using var visitor = await host.OpenAsync();
        await visitor.SignInAsync();
        await visitor.AskAsync("12.5 * 4");
        var options = visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Options for 12.5 * 4" });
        await options.FocusAsync();
        await visitor.Page.Keyboard.PressAsync("Enter");
        await Expect(visitor.Page.GetByRole(AriaRole.Menuitem, new() { Name = "Rename" })).ToBeFocusedAsync();
        await visitor.Page.RunAndWaitForResponseAsync(
            () => visitor.Page.EvaluateAsync("() => new BroadcastChannel('fastchat').postMessage('conversations')"),
            response => response.Url.Contains("/conversations?", StringComparison.Ordinal));
        // Drawn, if it is, before the page has slept twice.
        await visitor.Page.EvaluateAsync("async () => { for (let i = 0; i < 2; i++) await new Promise(done => setTimeout(done, 50)); }");
        await visitor.Page.Keyboard.PressAsync("Escape");

        await Expect(options).ToBeFocusedAsync();
    }

    private static Task NewChatAsync(Visitor visitor) => visitor.Page.GetByRole(AriaRole.Button, new() { Name = "New chat" }).First.ClickAsync();
}
