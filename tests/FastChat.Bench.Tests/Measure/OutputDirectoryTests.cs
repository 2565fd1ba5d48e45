namespace FastChat.Bench.Tests.Measure;

public sealed class OutputDirectoryTests : IDisposable
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("fastchat-out-");

    public void Dispose() => _home.Delete(recursive: true);

    [Fact]
    public void It_is_made_and_left_empty()
    {
        string path = Path.Combine(_home.FullName, "a", "b");
        OutputDirectory.Prepare(path);
        OutputDirectory.Prepare(path);
        Assert.Empty(Directory.GetFileSystemEntries(path));
    }

    [Fact]
    public void A_place_that_cannot_be_written_to_is_refused()
    {
        string file = Path.Combine(_home.FullName, "file");
        File.WriteAllText(file, "");
        Assert.Contains(file, Assert.Throws<IOException>(() => OutputDirectory.Prepare(file)).Message, StringComparison.Ordinal);
        if (OperatingSystem.IsLinux()) Assert.Throws<IOException>(() => OutputDirectory.Prepare("/proc"));
    }
}
