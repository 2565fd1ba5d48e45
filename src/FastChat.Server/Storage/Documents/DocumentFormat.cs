using System.Net.Http.Headers;

namespace FastChat.Server.Storage.Documents;

/// <summary>A kind of file that documents are made from.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="MediaTypes">Media types, the usual one first.</param>
/// <param name="Extensions">Ends of file names.</param>
/// <param name="ToText">Turns its source into plain text with Markdown's headings.</param>
internal sealed record DocumentFormat(string Name, string[] MediaTypes, string[] Extensions, Func<string, string> ToText)
{
    public static DocumentFormat Html { get; } =
        new("HTML", ["text/html", "application/xhtml+xml"], [".html", ".htm", ".xhtml"], HtmlText.Read);

    private static readonly DocumentFormat[] All =
    [
        new("text", ["text/plain"], [".txt", ".text", ".log"], text => text),
        new("Markdown", ["text/markdown", "text/x-markdown"], [".md", ".markdown"], MarkdownText.Read),
        Html,
        new("CSV", ["text/csv", "text/tab-separated-values"], [".csv", ".tsv"], CsvText.Read),
        new("JSON", ["application/json", "text/json"], [".json"], JsonText.Read),
    ];

    // What clients say when they do not know, or what another program on their machine calls such files.
    private static readonly string[] Vague = ["", "application/octet-stream", "text/plain", "application/vnd.ms-excel"];

    /// <summary>The media types accepted, to be shown to whoever sent something else.</summary>
    public static IReadOnlyList<string> Accepted { get; } = [.. All.Select(format => format.MediaTypes[0])];

    /// <summary>The format of a file, by its media type and, where that says nothing, by its name.</summary>
    /// <exception cref="DocumentException">It is none of these.</exception>
    public static DocumentFormat Of(string fileName, string? contentType)
    {
        string type = MediaTypeHeaderValue.TryParse(contentType, out var parsed) ? parsed.MediaType!.ToLowerInvariant() : "";
        var byName = Array.Find(All, format => format.Extensions.Any(end => fileName.EndsWith(end, StringComparison.OrdinalIgnoreCase)));
        var byType = Array.Find(All, format => format.MediaTypes.Contains(type));
        return (Vague.Contains(type) ? byName : null) ?? byType
            ?? throw new DocumentException(true, $"Only these can be uploaded: {string.Join(", ", Accepted)}.");
    }
}
