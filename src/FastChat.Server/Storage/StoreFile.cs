namespace FastChat.Server.Storage;

/// <summary>Files that hold what people said: readable by their owner alone.</summary>
internal static class StoreFile
{
    /// <summary>Makes a file and its directory where needed, and says so in the log when others may read one that is there.</summary>
    public static void Prepare(string path, ILogger logger)
    {
        const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        string directory = Path.GetDirectoryName(path)!;
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
            return;
        }
        if (!Directory.Exists(directory))
            Directory.CreateDirectory(directory, Owner | UnixFileMode.UserExecute);
        if (!File.Exists(path))
        {
            using var made = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.Write,
                Share = FileShare.ReadWrite, // another process may be starting on the same file
                UnixCreateMode = Owner,
            });
        }
        else if ((File.GetUnixFileMode(path) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != 0)
        {
            StorageLog.ReadableByOthers(logger, path);
        }
    }

    /// <summary>Keeps other processes away from a store for as long as the result is open. The lock's file stays behind.</summary>
    /// <exception cref="IOException">Another process holds it.</exception>
    public static FileStream Lock(string path, ILogger logger)
    {
        string lockPath = path + ".lock";
        Prepare(lockPath, logger);
        return new FileStream(lockPath, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
    }
}
