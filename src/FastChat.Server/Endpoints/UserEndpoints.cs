using System.Net.Mime;
using FastChat.Chat;
using FastChat.Server.Auth.Http;
using FastChat.Storage;

namespace FastChat.Server.Endpoints;

/// <summary>A user.</summary>
internal sealed record UserBody(string Id, string Name, DateTime CreatedAt)
{
    public static UserBody From(UserRecord user) => new(user.Id, user.Name, user.CreatedAt.UtcDateTime);
}

/// <summary>A user to be made.</summary>
internal sealed record NewUserBody(string? Name);

/// <summary>Users; for admins.</summary>
internal static class UserEndpoints
{
    public static void MapUsers(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/users").WithTags("Users").RequireAuthorization(FastChatAuth.AdminPolicy).ProducesProblem(403);
        group.MapPost("", CreateAsync).Accepts<NewUserBody>(MediaTypeNames.Application.Json).Produces<UserBody>(201)
            .ProducesProblem(400).ProducesProblem(409).WithSummary("Makes a user.");
        group.MapGet("/{id}", GetAsync).Produces<UserBody>().ProducesProblem(404).WithSummary("A user.");
    }

    private static async Task<IResult> CreateAsync(HttpContext http, ChatEngine engine)
    {
        var body = await Body.ReadAsync<NewUserBody>(http);
        var made = await engine.Directory.CreateUserAsync(body.Name ?? "", http.RequestAborted);
        http.Response.Headers.Location = $"{http.Request.PathBase}{http.Request.Path.Value!.TrimEnd('/')}/{made.Id}";
        return Body.Ok(UserBody.From(made), StatusCodes.Status201Created);
    }

    private static async Task<IResult> GetAsync(HttpContext http, ChatEngine engine, string id) =>
        Body.Ok(UserBody.From(await engine.Directory.GetUserAsync(id, http.RequestAborted)));
}
