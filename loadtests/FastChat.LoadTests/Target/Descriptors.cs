using FastChat.LoadTests.Load;

namespace FastChat.LoadTests.Target;

/// <summary>How many sockets a process may have.</summary>
internal static class Descriptors
{
    // For the program's files, HTTP connections and event loops.
    private const int Others = 600;

    /// <exception cref="LoadException">So many sockets are more than this process may have.</exception>
    public static void Check(int sockets)
    {
        const string Limits = "/proc/self/limits";
        if (!File.Exists(Limits) || Parse(File.ReadAllText(Limits)) is not { } most || sockets + Others <= most) return;
        throw new LoadException($"{sockets} sockets and {Others} other files are more than the {most} that this process may open: raise it (ulimit -n), or take fewer.");
    }

    /// <summary>The soft limit, in the form of Linux; null where there is none.</summary>
    internal static long? Parse(string limits)
    {
        const string Name = "Max open files";
        foreach (var line in limits.AsSpan().EnumerateLines())
            if (line.StartsWith(Name)) return long.TryParse(line[Name.Length..].Trim().ToString().Split(' ')[0], out long most) ? most : null;
        return null;
    }
}
