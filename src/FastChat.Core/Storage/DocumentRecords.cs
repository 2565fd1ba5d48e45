namespace FastChat.Storage;

/// <summary>A document of a user, attached to a chatbot. Its text is read with <see cref="IChatStore.GetDocumentTextAsync"/>.</summary>
public sealed record DocumentRecord
{
    /// <summary>Opaque id.</summary>
    public required string Id { get; init; }

    /// <summary>Id of the chatbot whose answers it serves.</summary>
    public required string ChatbotId { get; init; }

    /// <summary>Id of the user who uploaded it.</summary>
    public required string OwnerId { get; init; }

    /// <summary>File name, as given.</summary>
    public required string FileName { get; init; }

    /// <summary>Media type, as given.</summary>
    public required string ContentType { get; init; }

    /// <summary>Size of the uploaded file in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>How many passages it was split into.</summary>
    public required int PassageCount { get; init; }

    /// <summary>UTC, microsecond precision.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A document to be stored, its text extracted and split already (FastChat.Storage.Retrieval does both).</summary>
/// <param name="OwnerId">Id of the user who uploads it.</param>
/// <param name="ChatbotId">Id of a chatbot that this user may use.</param>
/// <param name="FileName">File name.</param>
/// <param name="Text">The whole plain text.</param>
/// <param name="Passages">The passages to index, in the order of the text.</param>
public sealed record NewDocument(string OwnerId, string ChatbotId, string FileName, string Text, IReadOnlyList<string> Passages)
{
    /// <summary>Media type of the uploaded file.</summary>
    public string ContentType { get; init; } = "text/plain";

    /// <summary>Size of the uploaded file in bytes.</summary>
    public long Size { get; init; }
}

/// <summary>
/// Where and for what to look. The user sees passages of their own documents and, on a chatbot that they may use, of its owner's.
/// </summary>
/// <param name="UserId">Id of the user who asks.</param>
/// <param name="Query">What to look for, as the user wrote it: no syntax.</param>
public sealed record PassageQuery(string UserId, string Query)
{
    /// <summary>Look only in this chatbot's documents; null for all of the user's own.</summary>
    public string? ChatbotId { get; init; }

    /// <summary>Look only in this document; null for all.</summary>
    public string? DocumentId { get; init; }

    /// <summary>How many passages at most.</summary>
    public int Limit { get; init; } = 5;
}

/// <summary>A passage that matches a question.</summary>
/// <param name="DocumentId">Id of its document.</param>
/// <param name="FileName">File name of its document.</param>
/// <param name="Index">Place within its document, from 0.</param>
/// <param name="Text">The passage.</param>
/// <param name="Score">Relevance (BM25): higher is better; comparable within one search only.</param>
/// <param name="Coverage">Share of the question's distinct meaningful words found in the passage, 0 to 1: comparable between searches.</param>
public sealed record PassageHit(string DocumentId, string FileName, int Index, string Text, double Score, double Coverage);
