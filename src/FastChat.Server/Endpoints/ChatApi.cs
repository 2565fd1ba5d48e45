using FastChat.Server.Auth.Http;
using FastChat.Server.Auth.RateLimits;
using FastChat.Server.Hosting;
using Microsoft.AspNetCore.Http.Metadata;

namespace FastChat.Server.Endpoints;

/// <summary>All REST routes. Paths match with and without a slash at their end.</summary>
internal static class ChatApi
{
    public static void MapChatApi(this IEndpointRouteBuilder routes, FastChatOptions options)
    {
        var open = routes.MapGroup("").AddEndpointFilter<ErrorFilter>().WithMetadata(new BodyLimit(options.MaxBodyBytes)).AllowAnonymous();
        open.MapHealth();
        open.MapChat();
        if (options.GivesDevTokens)
            open.MapDevToken();
        var users = routes.MapGroup("").AddEndpointFilter<ErrorFilter>().WithMetadata(new BodyLimit(options.MaxBodyBytes))
            .RequireAuthorization(FastChatAuth.UserPolicy)
            .AddEndpointFilter<RateLimitFilter>().AddEndpointFilter<CallerFilter>()
            .ProducesProblem(StatusCodes.Status401Unauthorized).ProducesProblem(StatusCodes.Status429TooManyRequests);
        users.MapConversations();
        users.MapSessions();
        users.MapChatbots();
        users.MapDocuments(options);
        users.MapModels();
        users.MapUsers();
    }

    /// <summary>The longest body of a request, for whatever server reads it.</summary>
    internal sealed class BodyLimit(long bytes) : IRequestSizeLimitMetadata
    {
        public long? MaxRequestBodySize => bytes;
    }
}
