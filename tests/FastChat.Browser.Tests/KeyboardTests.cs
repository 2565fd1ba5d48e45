using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FastChat.Browser.Tests;

public sealed class KeyboardTests(BrowserHost host)
{
    [Fact]
    public async Task Everything_can_be_done_without_a_pointer()
    {
        await using var visitor = await host.OpenAsync(host.Slow);
        var keyboard = visitor.Page.Keyboard;
        await Expect(visitor.Page.GetByLabel("Your name")).ToBeFocusedAsync();
        await keyboard.TypeAsync($"Keys {Guid.NewGuid():N}"[..14]);
        await keyboard.PressAsync("Enter");

        await Expect(visitor.Input).ToBeFocusedAsync();
        await keyboard.TypeAsync("12.5 * 4");
        await keyboard.PressAsync("Enter");
        await Expect(visitor.Answers).ToHaveTextAsync(["12.5 * 4 = 50"]);
        await visitor.AnsweredAsync();
        await keyboard.TypeAsync("repeat after me: one");
        await keyboard.PressAsync("Shift+Enter");
        await keyboard.TypeAsync("two");
        await Expect(visitor.Input).ToHaveValueAsync("repeat after me: one\ntwo");
        await keyboard.PressAsync("Enter");
        await Expect(visitor.Answers.Last).ToHaveTextAsync("one two");
        await visitor.AnsweredAsync();
        await keyboard.TypeAsync("Count to 1000");
        await keyboard.PressAsync("Enter");
        await visitor.CountedAsync(3);
        await keyboard.PressAsync("Escape");
        await Expect(visitor.Page.GetByText("You stopped this answer.")).ToBeVisibleAsync();

        await keyboard.PressAsync("Control+k");
        await Expect(visitor.Page.GetByLabel("Search conversations")).ToBeFocusedAsync();
        await keyboard.TypeAsync("repeat");
        await Expect(visitor.Conversations.Locator("mark").First).ToHaveTextAsync("repeat");
        await keyboard.PressAsync("ArrowDown");
        await Expect(visitor.Conversations).ToBeFocusedAsync();
        await keyboard.PressAsync("Tab");
        await keyboard.PressAsync("Enter");
        await Expect(visitor.Page.GetByRole(AriaRole.Menuitem, new() { Name = "Rename" })).ToBeFocusedAsync();
        await keyboard.PressAsync("End");
        await Expect(visitor.Page.GetByRole(AriaRole.Menuitem, new() { Name = "Delete" })).ToBeFocusedAsync();
        await keyboard.PressAsync("Escape");
        await Expect(visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Options for 12.5 * 4" })).ToBeFocusedAsync();
        await keyboard.PressAsync("Enter");
        await keyboard.PressAsync("Enter");
        await Expect(visitor.Page.GetByLabel("Title")).ToBeFocusedAsync();
        await keyboard.TypeAsync("By keyboard");
        await keyboard.PressAsync("Enter");
        await Expect(visitor.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("By keyboard");
    }

    [Fact]
    public async Task Whatever_has_the_focus_shows_it()
    {
        await using var visitor = await host.OpenAsync();
        await visitor.SignInAsync();
        await visitor.AskAsync("Show me some code");
        var unseen = new List<string>();
        var seen = new HashSet<string>();
        await visitor.Page.EvaluateAsync("() => document.activeElement.blur()");
        for (int i = 0; i < 40; i++)
        {
            await visitor.Page.Keyboard.PressAsync("Tab");
            string[] focus = await visitor.Page.EvaluateAsync<string[]>("""
                () => {
                  const e = document.activeElement;
                  const box = e.closest('.composer') && e.tagName === 'TEXTAREA' ? e.closest('.composer') : e;
                  const style = getComputedStyle(box);
                  const shown = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1 || (box !== e && style.boxShadow !== 'none');
                  return [e === document.body ? 'BODY' : e.getAttribute('aria-label') || e.textContent.trim() || e.tagName, String(shown)];
                }
                """);
            seen.Add(focus[0]);
            if (focus[1] != "true" && focus[0] != "BODY")
                unseen.Add(focus[0]);
        }

        Assert.Empty(unseen);
        Assert.Superset(new HashSet<string> { "Skip to the message field", "New chat", "Search conversations", "Documents", "Copy code", "Copy answer", "Message" }, seen);
    }
}
