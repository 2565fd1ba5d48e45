using Markdig;

namespace FastChat.Server.Storage.Documents;

/// <summary>Markdown as plain text: what its page would show.</summary>
internal static class MarkdownText
{
    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder()
        .UseYamlFrontMatter().UsePipeTables().UseGridTables().UseTaskLists().UseFootnotes().UseAutoLinks().Build();

    public static string Read(string source)
    {
        try
        {
            return HtmlText.Read(Markdown.ToHtml(source, Pipeline));
        }
        catch (ArgumentException e) // Markdig's only complaint about a text
        {
            throw new DocumentException(false, "This Markdown is nested too deeply.", e);
        }
    }
}
