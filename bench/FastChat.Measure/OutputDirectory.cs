namespace FastChat.Measure;

/// <summary>Where reports go.</summary>
internal static class OutputDirectory
{
    /// <summary>Makes it where needed, and sees that files can be written there: better refused now than after all is measured.</summary>
    /// <exception cref="IOException">It cannot be made, or not be written to; says which directory.</exception>
    public static void Prepare(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
            string probe = Path.Combine(path, $".writable-{Environment.ProcessId}");
            File.WriteAllText(probe, "?");
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"No report can be written to {path}: {e.Message}", e);
        }
    }
}
