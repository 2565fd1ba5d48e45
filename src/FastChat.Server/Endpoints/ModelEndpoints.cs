using FastChat.Chat;

namespace FastChat.Server.Endpoints;

/// <summary>A model. Its <c>id</c> is the <c>model_id</c> of seed 004.</summary>
internal sealed record ModelBody(int Id, string Name, string Provider, bool Default);

/// <summary>Models.</summary>
internal static class ModelEndpoints
{
    public static void MapModels(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/models", List).WithTags("Models").Produces<ModelBody[]>().WithSummary("The models there are.");

    private static IResult List(ChatEngine engine) => Body.Ok(engine.Directory.Models
        .Select((model, id) => new ModelBody(id, model.Name, model.Provider, model.Name == engine.Directory.DefaultModel)).ToArray());
}
