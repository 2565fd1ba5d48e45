namespace FastChat.Storage;

/// <summary>One commit of a store's writer, for metrics.</summary>
/// <param name="Operations">How many writes became durable with it.</param>
/// <param name="Duration">From the first statement to the end of the commit.</param>
/// <param name="Waiting">How many writes were waiting when it ended.</param>
public readonly record struct StoreCommit(int Operations, TimeSpan Duration, int Waiting);
