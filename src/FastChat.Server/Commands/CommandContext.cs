using FastChat.Server.Configuration;
using FastChat.Storage;

namespace FastChat.Server.Commands;

/// <summary>What a command may touch, so that tests can run it in process.</summary>
internal sealed record CommandContext
{
    /// <summary>Standard input.</summary>
    public required TextReader In { get; init; }

    /// <summary>Standard output: what was asked for, and nothing else.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Standard error.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>What relative paths are relative to.</summary>
    public required string WorkingDirectory { get; init; }

    /// <summary>The environment's variables.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>True when a person sits at a terminal: colours, prompts.</summary>
    public required bool Interactive { get; init; }

    /// <summary>What Ctrl-C means.</summary>
    public required Interrupts Interrupts { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Opens the store that a command or the server works on.</summary>
    public required Func<DataOptions, TimeProvider, CancellationToken, Task<IChatStore>> OpenStore { get; init; }

    /// <summary>Runs the server until the token is cancelled; returns the exit code.</summary>
    public required Func<ServeOptions, TextWriter, CancellationToken, Task<int>> Serve { get; init; }
}
