using FastChat.Chat;
using FastChat.Storage;

namespace FastChat.Server.Endpoints;

/// <summary>How the server is.</summary>
internal sealed record HealthBody(string Status);

/// <summary>Health, for whatever watches over the process and sends it traffic.</summary>
internal static class HealthEndpoints
{
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(5);

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", static () => Body.Ok(new HealthBody("live"))).WithTags("Health").Produces<HealthBody>()
            .WithSummary("Whether the process runs.");
        routes.MapGet("/health/ready", ReadyAsync).WithTags("Health").Produces<HealthBody>().Produces<HealthBody>(503)
            .WithSummary("Whether it takes work: its store reads and writes, and it is not about to stop.");
    }

    private static async Task<IResult> ReadyAsync(HttpContext http, ChatEngine engine, IChatStore store)
    {
        if (engine.IsDraining)
            return Body.Ok(new HealthBody("stopping"), StatusCodes.Status503ServiceUnavailable);
        try
        {
            await store.PingAsync(http.RequestAborted).WaitAsync(PingTimeout, http.RequestAborted);
            return Body.Ok(new HealthBody("ready"));
        }
        catch (Exception e) when (e is StoreException or TimeoutException)
        {
            return Body.Ok(new HealthBody("store unavailable"), StatusCodes.Status503ServiceUnavailable);
        }
    }
}
