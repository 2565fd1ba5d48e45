using System.Net;
using System.Net.Mime;
using FastChat.Chat;
using FastChat.Server.Auth;
using FastChat.Server.Auth.Http;
using FastChat.Server.Auth.Tokens;
using FastChat.Storage;

namespace FastChat.Server.Endpoints;

/// <summary>Who wants to be signed in.</summary>
internal sealed record DevTokenRequest(string? Name);

/// <summary>A token for development.</summary>
internal sealed record DevTokenBody(string Token, string UserId, string Name, int ExpiresIn);

/// <summary>
/// Signs in without a password, on this machine: what <c>fastchat token NAME</c> does, for the page. Mapped only while the server listens
/// on loopback; answers only requests that come straight from this machine, and never with the admin role.
/// </summary>
internal static class DevTokenEndpoints
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    public static void MapDevToken(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/auth/dev-token", IssueAsync).WithTags("Development").Accepts<DevTokenRequest>(MediaTypeNames.Application.Json)
            .Produces<DevTokenBody>().ProducesProblem(400).ProducesProblem(404)
            .WithSummary("Makes a token for a user, who is made where needed. Only on a server that listens on loopback.");

    private static async Task<IResult> IssueAsync(HttpContext http, ChatEngine engine, IChatStore store, TokenIssuer issuer)
    {
        bool local = http.Connection.RemoteIpAddress is { } peer && IPAddress.IsLoopback(peer)
            && UserIdTrusts.IsLocal(http.ToCredentialRequest());
        if (!local)
            throw new ChatException(ChatErrorCode.NotFound, "Not found.");
        string name = (await Body.ReadAsync<DevTokenRequest>(http)).Name?.Trim() ?? "";
        var user = await FindAsync() ?? await CreateAsync();
        string token = await issuer.IssueAsync(user.Id, user.Name, Lifetime, admin: false, http.RequestAborted);
        return Body.Ok(new DevTokenBody(token, user.Id, user.Name, (int)Lifetime.TotalSeconds));

        async Task<UserRecord?> FindAsync() => name.Length > 0 ? await store.GetUserByNameAsync(name, http.RequestAborted) : null;

        async Task<UserRecord> CreateAsync()
        {
            try
            {
                return await engine.Directory.CreateUserAsync(name, http.RequestAborted);
            }
            catch (ChatException e) when (e.Error.Code == ChatErrorCode.Conflict)
            {
                // Another request has made the user since.
                if (await FindAsync() is { } other)
                    return other;
                throw;
            }
        }
    }
}
