using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.AI;

namespace FastChat.Chat;

/// <summary>A model that the engine may be asked to answer with.</summary>
/// <param name="Name">The name a chatbot or a request asks for; compared ordinally, ignoring case.</param>
/// <param name="Provider">What runs it, for display: <c>offline</c>, <c>openai</c>, <c>gemini</c> or an embedder's own word.</param>
public sealed record ModelInfo(string Name, string Provider);

/// <summary>The models this process can reach. Immutable and safe for concurrent use; owns the clients it hands out.</summary>
public interface IModelCatalog
{
    /// <summary>Every model, in the order configured; a model's index is its <c>model_id</c> on the numeric wire. Never empty.</summary>
    IReadOnlyList<ModelInfo> Models { get; }

    /// <summary>The model of a chatbot that names none; always one of <see cref="Models"/>.</summary>
    string DefaultModel { get; }

    /// <summary>Finds a model by name. The client is shared by all callers and must not be disposed.</summary>
    bool TryGet(string name, [NotNullWhen(true)] out IChatClient? client);
}
