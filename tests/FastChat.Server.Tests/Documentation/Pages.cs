using System.Text.RegularExpressions;

namespace FastChat.Server.Tests.Documentation;

/// <summary>A fenced block of a page.</summary>
/// <param name="Page">README.md, or a path below docs.</param>
/// <param name="Line">Of the block's first line.</param>
/// <param name="Language">What stands behind the fence.</param>
/// <param name="Text">What stands between the fences.</param>
internal sealed record Block(string Page, int Line, string Language, string Text);

/// <summary>The pages that a newcomer reads, as they are in the repository.</summary>
internal static partial class Pages
{
    private static readonly string Root = FindRoot();

    public static IEnumerable<string> All =>
        Directory.EnumerateFiles(Path.Combine(Root, "docs"), "*.md").Select(file => $"docs/{Path.GetFileName(file)}").Prepend("README.md");

    public static string Read(string page) => File.ReadAllText(Path.Combine(Root, page));

    public static bool Exists(string path) => Path.Exists(Path.Combine(Root, path));

    public static IEnumerable<Block> Blocks(string page, string language)
    {
        string text = Read(page);
        return Fence().Matches(text).Where(m => m.Groups["language"].Value == language)
            .Select(m => new Block(page, text.AsSpan(0, m.Index).Count('\n') + 2, language, m.Groups["text"].Value));
    }

    // From where the tests were built, not from where they were compiled: a deterministic build does not know that.
    private static string FindRoot()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "FastChat.sln")))
            directory = Path.GetDirectoryName(directory);
        return directory ?? throw new InvalidOperationException("These tests run inside a checkout.");
    }

    [GeneratedRegex(@"^```(?<language>\w+)\n(?<text>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();
}
