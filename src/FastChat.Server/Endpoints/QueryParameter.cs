namespace FastChat.Server.Endpoints;

/// <summary>A parameter of a query, for the OpenAPI document.</summary>
internal sealed record QueryParameter(string Name, string Description, bool Required = false, bool IsNumber = false);

/// <summary>Says which parameters a route takes in its query.</summary>
internal static class QueryParameters
{
    public static RouteHandlerBuilder Takes(this RouteHandlerBuilder route, params QueryParameter[] parameters) => route.WithMetadata([.. parameters]);

    /// <summary>A list, in pages.</summary>
    public static RouteHandlerBuilder TakesPage(this RouteHandlerBuilder route) => route.Takes(
        new("limit", "How many items at most, 1 to 1000.", IsNumber: true),
        new("before", "Where to continue: X-Next-Before of the page before, or the id of an item."));
}
