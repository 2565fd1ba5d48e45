using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FastChat.Browser.Tests;

public sealed class DocumentTests(BrowserHost host)
{
    private static readonly FilePayload Handbook = new()
    {
        Name = "handbook.md",
        MimeType = "text/markdown",
        Buffer = "# Handbook\n\nEvery employee has thirty days of vacation a year.\n\nThe canteen opens at noon."u8.ToArray(),
    };

    [Fact]
    public async Task An_uploaded_document_is_quoted_with_its_source()
    {
        await using var visitor = await host.OpenAsync();
        await visitor.SignInAsync();
        await UploadAsync(visitor, Handbook);
        await Expect(visitor.Page.GetByText("Ready – ask about it")).ToBeVisibleAsync();
        string answer = await visitor.AskAsync("How many days of vacation does an employee have?");

        Assert.Contains("thirty days of vacation", answer, StringComparison.Ordinal);
        var source = visitor.Page.Locator(".source");
        await Expect(source).ToHaveCountAsync(1);
        await source.Locator("summary").ClickAsync();
        await Expect(source.Locator("blockquote")).ToContainTextAsync("thirty days of vacation");
        // The source is kept with the answer.
        await visitor.Page.ReloadAsync();
        await Expect(visitor.Page.Locator(".source")).ToContainTextAsync("handbook.md");
    }

    [Fact]
    public async Task A_document_that_cannot_be_read_is_refused_with_what_can()
    {
        await using var visitor = await host.OpenAsync();
        visitor.Expect(Visitor.Refusals());
        await visitor.SignInAsync();
        await UploadAsync(visitor, new() { Name = "photo.png", MimeType = "image/png", Buffer = [0x89, 0x50, 0x4e, 0x47] });

        var notice = visitor.Page.GetByRole(AriaRole.Alert).Filter(new() { HasText = "photo.png" });
        await Expect(notice).ToContainTextAsync("Markdown", new() { IgnoreCase = true });
        await Expect(notice).ToContainTextAsync("CSV", new() { IgnoreCase = true });
    }

    [Fact]
    public async Task A_document_that_is_deleted_is_gone_from_the_list()
    {
        await using var visitor = await host.OpenAsync();
        await visitor.SignInAsync();
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Documents", Exact = true }).ClickAsync();
        var dialog = visitor.Page.GetByRole(AriaRole.Dialog, new() { Name = "Documents" });
        await Expect(dialog).ToContainTextAsync("No documents yet");
        var chooser = await visitor.Page.RunAndWaitForFileChooserAsync(() => dialog.GetByRole(AriaRole.Button, new() { Name = "Add documents" }).ClickAsync());
        await chooser.SetFilesAsync(Handbook);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Delete handbook.md" }).ClickAsync();
        await visitor.Page.GetByRole(AriaRole.Dialog, new() { Name = "Delete this document?" }).GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();

        await Expect(dialog).ToContainTextAsync("No documents yet");
    }

    private static async Task UploadAsync(Visitor visitor, FilePayload file)
    {
        var button = visitor.Page.GetByRole(AriaRole.Main).GetByRole(AriaRole.Button, new() { Name = "Add documents" });
        var chooser = await visitor.Page.RunAndWaitForFileChooserAsync(() => button.ClickAsync());
        await chooser.SetFilesAsync(file);
    }
}
