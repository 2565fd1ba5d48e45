using System.Collections.Concurrent;
using FastChat.Server.Auth;
using FastChat.Storage;

namespace FastChat.Server.Hosting;

/// <summary>
/// The stored user of somebody who was identified: made when another issuer's user, or a trusted id, comes for the first time. Users never
/// change, so those seen lately are remembered. Safe for concurrent use.
/// </summary>
internal sealed class ChatUsers(IChatStore store)
{
    private const int MaxRemembered = 50_000;

    private readonly ConcurrentDictionary<string, UserRecord> _seen = new(StringComparer.Ordinal);

    /// <summary>Returns the user, made where needed.</summary>
    public async ValueTask<UserRecord> GetOrAddAsync(AuthenticatedUser user, CancellationToken cancellationToken = default) =>
        _seen.TryGetValue(user.Id, out var seen) ? seen
            : Remember(await store.GetUserAsync(user.Id, cancellationToken) ?? await store.EnsureUserAsync(user.Id, user.Name, cancellationToken));

    /// <summary>Returns the user, or null when nobody was stored under this id.</summary>
    public async ValueTask<UserRecord?> FindAsync(string id, CancellationToken cancellationToken = default)
    {
        if (_seen.TryGetValue(id, out var seen))
            return seen;
        return await store.GetUserAsync(id, cancellationToken) is { } user ? Remember(user) : null;
    }

    private UserRecord Remember(UserRecord user)
    {
        if (_seen.Count >= MaxRemembered)
            _seen.Clear();
        return _seen.GetOrAdd(user.Id, user);
    }
}
