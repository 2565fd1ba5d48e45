using System.Diagnostics;

namespace FastChat.Server.Hosting;

/// <summary>One line for each request: its method, path and status, never its query, in which a token may stand.</summary>
internal sealed partial class RequestLog(RequestDelegate next, TimeProvider time, ILogger<RequestLog> logger)
{
    public async Task InvokeAsync(HttpContext http)
    {
        long start = time.GetTimestamp();
        // Of whatever is answered, errors included: no sniffing, and no address of ours, with its query, to other sites.
        http.Response.Headers.XContentTypeOptions = "nosniff";
        http.Response.Headers["Referrer-Policy"] = "no-referrer";
        // Tools that record requests see the path too.
        Activity.Current?.SetTag("url.query", null);
        try
        {
            await next(http);
        }
        finally
        {
            var level = http.Response.StatusCode >= 500 ? LogLevel.Warning
                : http.Request.Path.StartsWithSegments("/health", StringComparison.Ordinal) ? LogLevel.Debug : LogLevel.Information;
            if (logger.IsEnabled(level))
            {
                // Encoded: a path must not be able to write lines of its own into a log.
                string path = http.Request.Path.ToUriComponent();
                double milliseconds = time.GetElapsedTime(start).TotalMilliseconds;
                Answered(logger, level, http.Request.Method, path, http.Response.StatusCode, milliseconds);
            }
        }
    }

    [LoggerMessage(EventId = 3201, Message = "{Method} {Path} {Status} in {Milliseconds:F1} ms.")]
    private static partial void Answered(ILogger logger, LogLevel level, string method, string path, int status, double milliseconds);
}
