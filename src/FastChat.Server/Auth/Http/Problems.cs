using Microsoft.AspNetCore.Http;

namespace FastChat.Server.Auth.Http;

/// <summary>Error answers as problem details (RFC 9457), whose <c>detail</c> is what seed 003's front end shows.</summary>
internal static class Problems
{
    public static Task WriteAsync(HttpContext context, int status, string detail) =>
        TypedResults.Problem(detail, statusCode: status).ExecuteAsync(context);
}
