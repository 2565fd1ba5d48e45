namespace FastChat.Server.Auth.Keys;

/// <summary>Where keys come from. Any thread may ask at any time.</summary>
internal abstract class KeySource(TokenScope scope)
{
    /// <summary>What tokens signed with these keys must say.</summary>
    public TokenScope Scope { get; } = scope;

    /// <summary>The keys of now; null while none could be had.</summary>
    public abstract ValueTask<IReadOnlyList<VerificationKey>?> GetAsync(CancellationToken cancellationToken);

    /// <summary>Looks whether there are newer keys, since a token names one that is not here. Limits itself.</summary>
    public virtual ValueTask RefreshAsync(CancellationToken cancellationToken) => default;
}

/// <summary>Keys that do not change while the process lives.</summary>
internal sealed class FixedKeySource(TokenScope scope, params IReadOnlyList<VerificationKey> keys) : KeySource(scope)
{
    public override ValueTask<IReadOnlyList<VerificationKey>?> GetAsync(CancellationToken cancellationToken) => new(keys);
}
