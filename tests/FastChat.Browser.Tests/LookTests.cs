using System.Text.Json;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FastChat.Browser.Tests;

/// <summary>Themes, sizes and what assistive technology is told.</summary>
public sealed class LookTests(BrowserHost host)
{
    // Every text that is seen, with its contrast against what is behind it (WCAG 2.2, 1.4.3), where that is too little.
    private const string TooFaint = """
        () => {
          // Colours where they are going, not on the way there.
          for (const transition of document.getAnimations()) if (transition instanceof CSSTransition) transition.finish();
          const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
          const rgba = colour => {
            canvas.clearRect(0, 0, 1, 1);
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data].map((v, i) => (i === 3 ? v / 255 : v));
          };
          const over = (top, below) => top.slice(0, 3).map((v, i) => v * top[3] + below[i] * (1 - top[3])).concat(1);
          const behind = element => {
            const layers = [];
            for (let e = element; e; e = e.parentElement) {
              const colour = rgba(getComputedStyle(e).backgroundColor);
              if (colour[3] > 0) layers.push(colour);
              if (colour[3] === 1) break;
            }
            return layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255, 1]);
          };
          const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
          const faint = [];
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          for (let node; (node = walker.nextNode());) {
            const element = node.parentElement;
            if (!node.data.trim() || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || element.closest('.visually-hidden, [inert], :disabled:not(.chatbot):not(.pill)')) continue;
            const style = getComputedStyle(element);
            const background = behind(element);
            const [a, b] = [light(over(rgba(style.color), background)), light(background)];
            const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            const size = parseFloat(style.fontSize);
            const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
            if (ratio < (isLarge ? 3 : 4.5)) faint.push(`${node.data.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
          }
          return faint;
        }
        """;

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task All_text_stands_out_from_what_is_behind_it(ColorScheme scheme)
    {
        await using var visitor = await host.OpenAsync(options: new() { ColorScheme = scheme });
        Assert.Empty(await visitor.Page.EvaluateAsync<string[]>(TooFaint));
        await visitor.SignInAsync();
        Assert.Empty(await visitor.Page.EvaluateAsync<string[]>(TooFaint));
        await visitor.AskAsync("Show me markdown");
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Account and theme" }).ClickAsync();
        Assert.Empty(await visitor.Page.EvaluateAsync<string[]>(TooFaint));
    }

    [Fact]
    public async Task Every_control_has_a_name()
    {
        await using var visitor = await host.OpenAsync();
        await ExpectNamesAsync(visitor);
        await visitor.SignInAsync();
        await ExpectNamesAsync(visitor);
        await visitor.AskAsync("Show me markdown");
        await ExpectNamesAsync(visitor);
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Documents", Exact = true }).ClickAsync();
        await ExpectNamesAsync(visitor);
    }

    [Fact]
    public async Task The_page_has_landmarks_and_one_first_heading()
    {
        await using var visitor = await host.OpenAsync();
        await visitor.SignInAsync();
        await visitor.AskAsync("Show me markdown");

        await Expect(visitor.Page.GetByRole(AriaRole.Main)).ToHaveCountAsync(1);
        await Expect(visitor.Page.GetByRole(AriaRole.Complementary, new() { Name = "Conversations" })).ToBeVisibleAsync();
        await Expect(visitor.Page.GetByRole(AriaRole.Navigation, new() { Name = "Conversations" })).ToBeVisibleAsync();
        await Expect(visitor.Page.GetByRole(AriaRole.Search)).ToBeVisibleAsync();
        await Expect(visitor.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveCountAsync(1);
        await Expect(visitor.Page.Locator("html")).ToHaveAttributeAsync("lang", "en");
    }

    [Fact]
    public async Task A_screen_reader_hears_of_an_answer_twice_and_not_of_every_word()
    {
        await using var visitor = await host.OpenAsync(host.Slow);
        await visitor.SignInAsync();
        await visitor.Page.EvaluateAsync("""
            () => {
              const region = document.getElementById('announcer');
              window.heard = [];
              new MutationObserver(() => heard.push(region.textContent)).observe(region, { childList: true, characterData: true, subtree: true });
            }
            """);
        await visitor.AskAsync("Count to 60");

        string[] heard = await visitor.Page.EvaluateAsync<string[]>("() => window.heard");
        Assert.Equal(["Assistant is answering.", $"Assistant: {Visitor.CountTo(60)}"], heard);
        // Nothing else speaks of it: the messages themselves are no live region.
        Assert.Equal(0, await visitor.Page.Locator("[aria-live] .message, [role=log] .message, [role=status] .message").CountAsync());
    }

    [Fact]
    public async Task The_theme_follows_the_system_until_one_is_chosen()
    {
        await using var visitor = await host.OpenAsync(options: new() { ColorScheme = ColorScheme.Dark });
        await visitor.SignInAsync();
        await IsDarkAsync(visitor, true);
        await visitor.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
        await IsDarkAsync(visitor, false);
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Account and theme" }).ClickAsync();
        await visitor.Page.GetByRole(AriaRole.Menuitemradio, new() { Name = "Dark" }).ClickAsync();
        await IsDarkAsync(visitor, true);
        await visitor.Page.ReloadAsync();
        await IsDarkAsync(visitor, true);
    }

    [Theory]
    [InlineData(320)]
    [InlineData(390)]
    public async Task A_phone_shows_everything_without_scrolling_sideways(int width)
    {
        await using var visitor = await host.OpenAsync(options: new()
        {
            ViewportSize = new() { Width = width, Height = 780 },
            IsMobile = true,
            HasTouch = true,
        });
        await ExpectNoOverflowAsync(visitor);
        await visitor.SignInAsync();
        await ExpectNoOverflowAsync(visitor);
        await visitor.AskAsync("Show me markdown");
        await visitor.AskAsync($"repeat after me: {new string('x', 300)} https://example.com/{new string('y', 300)}");
        await ExpectNoOverflowAsync(visitor);

        var sidebar = visitor.Page.GetByRole(AriaRole.Complementary, new() { Name = "Conversations" });
        await Expect(sidebar).ToBeHiddenAsync();
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Show conversations" }).ClickAsync();
        await Expect(sidebar).ToBeVisibleAsync();
        await Expect(visitor.Page.Locator("#main")).ToHaveJSPropertyAsync("inert", true);
        await ExpectNoOverflowAsync(visitor);
        await visitor.Page.Keyboard.PressAsync("Escape");
        await Expect(sidebar).ToBeHiddenAsync();
        await Expect(visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Show conversations" })).ToBeFocusedAsync();
    }

    [Fact]
    public async Task Whoever_wants_less_motion_gets_none()
    {
        await using var visitor = await host.OpenAsync(host.Slow, new() { ReducedMotion = ReducedMotion.Reduce });
        await visitor.SignInAsync();
        await visitor.SendAsync("Count to 1000");
        await visitor.CountedAsync(3);

        Assert.Equal(0, await visitor.Page.EvaluateAsync<int>(
            "() => document.getAnimations().filter(a => { const t = a.effect.getComputedTiming(); return t.iterations > 1 || t.duration > 1; }).length"));
    }

    private static async Task IsDarkAsync(Visitor visitor, bool dark) => await visitor.Page.WaitForFunctionAsync(
        "dark => (parseInt(getComputedStyle(document.body).backgroundColor.slice(4)) < 80) === dark", dark);

    private static async Task ExpectNoOverflowAsync(Visitor visitor) => Assert.Empty(await visitor.Page.EvaluateAsync<string[]>("""
        () => ['html', 'body', '#scroller', '#conversations'].map(s => document.querySelector(s))
          .filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth).map(e => `${e.id || e.tagName}: ${e.scrollWidth} > ${e.clientWidth}`)
        """));

    /// <summary>Names as the browser itself computes them for assistive technology.</summary>
    private static async Task ExpectNamesAsync(Visitor visitor)
    {
        var session = await visitor.Page.Context.NewCDPSessionAsync(visitor.Page);
        var tree = await session.SendAsync("Accessibility.getFullAXTree");
        var nameless = tree!.Value.GetProperty("nodes").EnumerateArray().Where(IsNamelessControl).Select(n => n.ToString()).ToList();
        await session.DetachAsync();
        Assert.Empty(nameless);
    }

    private static bool IsNamelessControl(JsonElement node)
    {
        bool isControl = node.TryGetProperty("role", out var role) && role.TryGetProperty("value", out var value)
            && value.GetString() is "button" or "link" or "textbox" or "searchbox" or "menuitem" or "menuitemradio" or "dialog" or "region" or "progressbar";
        bool isNamed = node.TryGetProperty("name", out var name) && name.TryGetProperty("value", out var text) && !string.IsNullOrWhiteSpace(text.GetString());
        return isControl && !isNamed && !node.GetProperty("ignored").GetBoolean();
    }
}
