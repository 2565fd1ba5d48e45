using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FastChat.Browser.Tests;

public sealed class ChatbotTests(BrowserHost host)
{
    [Fact]
    public async Task A_chatbot_is_made_chosen_changed_and_deleted()
    {
        await using var visitor = await host.OpenAsync();
        await visitor.SignInAsync();
        var picker = visitor.Page.Locator("#chatbot");
        await ChooseAsync("New chatbot");
        await visitor.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("Chef");
        await visitor.Page.GetByLabel("Instructions").FillAsync("You speak of nothing but food.");
        await visitor.Page.GetByLabel("Model").SelectOptionAsync("offline");
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
        await Expect(picker).ToContainTextAsync("Chef");
        await Expect(visitor.Input).ToHaveAttributeAsync("placeholder", "Message Chef");
        await visitor.AskAsync("12.5 * 4");
        // A conversation stays with its chatbot.
        await Expect(picker).ToBeDisabledAsync();
        await visitor.Page.ReloadAsync();
        await Expect(picker).ToContainTextAsync("Chef");
        await Expect(visitor.Answers).ToHaveTextAsync(["12.5 * 4 = 50"]);

        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "New chat" }).First.ClickAsync();
        await ChooseAsync("Edit Chef");
        await Expect(visitor.Page.GetByLabel("Instructions")).ToHaveValueAsync("You speak of nothing but food.");
        await visitor.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("Cook");
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(picker).ToContainTextAsync("Cook");
        await ChooseAsync("Delete Cook");
        await visitor.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Expect(picker).ToContainTextAsync("Assistant");
        // Its conversation goes on with the built-in one.
        await visitor.Conversations.ClickAsync();
        await Expect(visitor.Answers).ToHaveTextAsync(["12.5 * 4 = 50"]);
        Assert.Equal("7 * 6 = 42", await visitor.AskAsync("7 * 6"));

        async Task ChooseAsync(string option)
        {
            await picker.ClickAsync();
            await visitor.Page.GetByRole(AriaRole.Menuitem, new() { Name = option }).ClickAsync();
        }
    }
}
