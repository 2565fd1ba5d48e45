namespace FastChat.Compare.Servers;

/// <summary>This program, to be started once more.</summary>
internal static class ThisProgram
{
    /// <summary>The command that runs it in one of its other modes.</summary>
    public static string[] Command(params string[] arguments) => DotnetHost.Command("FastChat.Compare.dll", arguments);
}
