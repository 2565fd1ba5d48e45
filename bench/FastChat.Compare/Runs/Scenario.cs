namespace FastChat.Compare.Runs;

/// <summary>What payloads are made of.</summary>
internal enum PayloadKind
{
    /// <summary>Random bytes in binary messages.</summary>
    Binary,
    /// <summary>Text of two-byte characters, which every server has to validate (RFC 6455 section 8.1).</summary>
    TwoByteText,
}

/// <summary>One way to load an echo server.</summary>
/// <param name="Name">As given to --scenarios.</param>
/// <param name="Title">For people.</param>
/// <param name="Connections">How many.</param>
/// <param name="Size">Bytes in a message.</param>
internal sealed record Scenario(string Name, string Title, int Connections, int Size)
{
    /// <summary>Messages that each connection sends in one write and then waits for; a connection sends on when all are back.</summary>
    public int PerWrite { get; init; } = 1;

    public PayloadKind Payload { get; init; }

    /// <summary>Whether the client polls instead of sleeping, so that the server does not pay for waking it.</summary>
    public bool Polls { get; init; } = true;

    /// <summary>Connections that are only held, and asked for one echo each at the end: memory, not speed.</summary>
    public bool IsIdle { get; init; }

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("ping-pong", "100 connections, 64 B, one at a time", 100, 64),
        new("batched", "100 connections, 64 B, 16 in each write", 100, 64) { PerWrite = 16 },
        new("medium", "20 connections, 16 KiB binary", 20, 16 * 1024),
        new("large", "10 connections, 1 MiB binary", 10, 1 << 20),
        new("text", "20 connections, 16 KiB of two-byte text", 20, 16 * 1024) { Payload = PayloadKind.TwoByteText },
        new("single", "one connection, 64 B, client sleeps", 1, 64) { Polls = false },
        new("idle", "5,000 idle connections", 5_000, 64) { Polls = false, IsIdle = true },
    ];

    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static Scenario Find(string name) => All.FirstOrDefault(s => s.Name == name)
        ?? throw new ArgumentException($"There is no scenario '{name}'. There are: {string.Join(", ", All.Select(s => s.Name))}.");
}
