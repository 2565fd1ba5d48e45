using System.Buffers;
using Markdig;

namespace FastChat.Server.Storage.Documents;

/// <summary>Markdown as plain text: what its page would show.</summary>
internal static class MarkdownText
{
    /// <summary>About a quarter of a second of Markdig's time; a book stays far below.</summary>
    private const long MaxEffort = 100_000_000;

    private static readonly SearchValues<char> Punctuation = SearchValues.Create("!\"#$&()*+:<=>[\\]^_`{|}~");

    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder()
        .UseYamlFrontMatter().UsePipeTables().UseTaskLists().UseFootnotes().Build();

    /// <summary>Reads it; what would take too long, or is nested too deeply, is given back as it is: Markdown is made to be read so, too.</summary>
    public static string Read(string source)
    {
        if (Effort(source) > MaxEffort)
            return source;
        try
        {
            return HtmlText.Read(Markdown.ToHtml(source, Pipeline));
        }
        catch (ArgumentException) // "nested too deeply", Markdig's only complaint about a text
        {
            return source;
        }
    }

    // Within a paragraph Markdig's time grows with the square of the marks that might open or close something.
    private static long Effort(string source)
    {
        long effort = 0, marks = 0;
        foreach (var line in source.AsSpan().EnumerateLines())
        {
            if (!line.ContainsAnyExcept(' ', '\t'))
                marks = 0;
            long before = marks;
            for (var rest = line; rest.IndexOfAny(Punctuation) is var next and >= 0; rest = rest[(next + 1)..])
                marks++;
            effort += (marks * marks) - (before * before);
        }
        return effort;
    }
}
