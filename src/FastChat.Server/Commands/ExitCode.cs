namespace FastChat.Server.Commands;

/// <summary>What a command says to the shell.</summary>
internal static class ExitCode
{
    /// <summary>Fine.</summary>
    public const int Success = 0;

    /// <summary>It did not work.</summary>
    public const int Failure = 1;

    /// <summary>Wrong usage or configuration: nothing was tried.</summary>
    public const int Usage = 2;
}

/// <summary>A command could not do what it was asked. The message is one sentence for whoever gave it.</summary>
internal sealed class CommandException(string message, int exitCode = ExitCode.Failure) : Exception(message)
{
    /// <summary>What to say to the shell.</summary>
    public int ExitCode { get; } = exitCode;
}
