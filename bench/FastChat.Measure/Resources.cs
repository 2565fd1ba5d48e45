namespace FastChat.Measure;

/// <summary>Files that are part of a program.</summary>
internal static class Resources
{
    /// <summary>The look of every report: light and dark, on screen and on paper.</summary>
    public static string ReportCss { get; } = Read(typeof(Resources), "report.css");

    /// <summary>A file embedded beside a type.</summary>
    public static string Read(Type beside, string name)
    {
        using var stream = beside.Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
