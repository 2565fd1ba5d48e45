using System.Runtime.InteropServices;

namespace FastChat.Measure;

/// <summary>How to start .NET programs that lie beside this one.</summary>
internal static class DotnetHost
{
    /// <summary>The dotnet that runs this process.</summary>
    public static string Path
    {
        get
        {
            string name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
            if (System.IO.Path.GetFileName(Environment.ProcessPath) == name) return Environment.ProcessPath!;
            // <root>/shared/Microsoft.NETCore.App/<version>/
            string root = System.IO.Path.GetFullPath(System.IO.Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
            string host = System.IO.Path.Combine(root, name);
            return File.Exists(host) ? host : name;
        }
    }

    /// <summary>The command that runs an assembly.</summary>
    /// <param name="assembly">Its file, seen from this program's directory.</param>
    /// <param name="arguments">What it is given.</param>
    public static string[] Command(string assembly, params string[] arguments) => [Path, System.IO.Path.Combine(AppContext.BaseDirectory, assembly), .. arguments];
}
