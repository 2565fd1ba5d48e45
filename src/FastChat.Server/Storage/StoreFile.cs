using System.Runtime.Versioning;

namespace FastChat.Server.Storage;

/// <summary>Files that hold what people said: readable by their owner alone.</summary>
internal static class StoreFile
{
    private static readonly System.Threading.Lock Making = new();

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
        // POSIX: closing any descriptor of a file drops all locks that this process has on it, those of a database opened by another
        // thread too, whose writes are lost then. So once a file is there nobody opens it here.
        lock (Making)
        {
            if (!File.Exists(path))
            {
                Make(path);
                return;
            }
        }
        if ((File.GetUnixFileMode(path) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != 0)
            StorageLog.ReadableByOthers(logger, path);
    }

    [UnsupportedOSPlatform("windows")]
    private static void Make(string path)
    {
        using var made = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite, // another process may be starting on the same file
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
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
