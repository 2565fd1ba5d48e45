using System.Text.Json.Serialization;

namespace FastChat.LoadTests.Wire;

/// <summary>A user's message.</summary>
internal sealed record MessageOut(string Message, string MessageType, string ClientMessageId);

/// <summary>Asks for what a cut has left out.</summary>
internal sealed record ResumeOut(string Type, string MessageId, int LastSeq);

/// <summary>A session that was opened.</summary>
internal sealed record SessionIn(string SessionId, string ConversationId);

/// <summary>A development token.</summary>
internal sealed record TokenIn(string Token);

/// <summary>What asks for one.</summary>
internal sealed record TokenOut(string Name);

/// <summary>Asks over REST.</summary>
internal sealed record ChatOut(string Message, string? ConversationId = null);

/// <summary>A whole answer.</summary>
internal sealed record ChatIn(string Response, string ConversationId, string MessageId, string FinishReason);

/// <summary>A conversation, with its messages where they were asked for.</summary>
internal sealed record ConversationIn(string Id, string Title, int MessageCount, IReadOnlyList<ConversationMessageIn>? Messages);

/// <summary>A message of it.</summary>
internal sealed record ConversationMessageIn(string Role, string Content);

/// <summary>A conversation found.</summary>
internal sealed record HitIn(string Id, string Snippet);

/// <summary>A new title.</summary>
internal sealed record TitleOut(string Title);

/// <summary>A refusal.</summary>
internal sealed record ProblemIn(string? Detail);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MessageOut))]
[JsonSerializable(typeof(ResumeOut))]
[JsonSerializable(typeof(SessionIn))]
[JsonSerializable(typeof(TokenIn))]
[JsonSerializable(typeof(TokenOut))]
[JsonSerializable(typeof(ChatOut))]
[JsonSerializable(typeof(ChatIn))]
[JsonSerializable(typeof(ConversationIn))]
[JsonSerializable(typeof(IReadOnlyList<ConversationIn>))]
[JsonSerializable(typeof(IReadOnlyList<HitIn>))]
[JsonSerializable(typeof(TitleOut))]
[JsonSerializable(typeof(ProblemIn))]
internal sealed partial class WireJson : JsonSerializerContext;
