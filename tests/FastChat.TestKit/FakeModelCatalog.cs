using System.Diagnostics.CodeAnalysis;
using FastChat.Chat;
using Microsoft.Extensions.AI;

namespace FastChat.TestKit;

/// <summary>Models by name, the first of them the default.</summary>
public sealed class FakeModelCatalog(params (string Name, IChatClient Client)[] models) : IModelCatalog
{
    public IReadOnlyList<ModelInfo> Models { get; } = [.. models.Select(m => new ModelInfo(m.Name, "fake"))];

    public string DefaultModel => models[0].Name;

    public bool TryGet(string name, [NotNullWhen(true)] out IChatClient? client)
    {
        client = models.FirstOrDefault(m => string.Equals(m.Name, name, StringComparison.OrdinalIgnoreCase)).Client;
        return client is not null;
    }
}
