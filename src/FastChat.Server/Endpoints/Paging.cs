using System.Globalization;
using FastChat.Chat;
using FastChat.Storage;
using Microsoft.AspNetCore.WebUtilities;

namespace FastChat.Server.Endpoints;

/// <summary>
/// Pages of lists: <c>limit</c> and <c>before</c> in, the items alone out (as the seeds have them), and where the next page begins in the
/// headers <c>Link</c> (RFC 8288, rel="next") and <c>X-Next-Before</c>.
/// </summary>
internal static class Paging
{
    /// <summary>The most items on a page.</summary>
    public const int MaxLimit = 1000;

    /// <summary>Which page is asked for.</summary>
    /// <exception cref="ChatException">The limit is none.</exception>
    public static PageRequest Read(HttpContext http, int fallback = PageRequest.DefaultLimit)
    {
        var query = http.Request.Query;
        int limit = fallback;
        if (query.TryGetValue("limit", out var text)
            && !(int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) && limit is >= 1 and <= MaxLimit))
            throw new ChatException(ChatErrorCode.BadRequest, $"\"limit\" must be a whole number from 1 to {MaxLimit}.");
        return new PageRequest(limit, query["before"] is [{ Length: > 0 } before, ..] ? before : null);
    }

    /// <summary>Says where the next page is. Before the body is written.</summary>
    public static void WriteNext(HttpContext http, string? next)
    {
        if (next is null)
            return;
        var request = http.Request;
        // Whoever follows the link authenticates again: a token in it would end up in logs.
        var query = request.Query.Where(p => p.Key is not ("before" or "token")).Append(new("before", next));
        string target = QueryHelpers.AddQueryString(request.PathBase + request.Path, query);
        http.Response.Headers.Link = $"<{target}>; rel=\"next\"";
        http.Response.Headers["X-Next-Before"] = next;
    }

    /// <summary>Answers with a page.</summary>
    public static IResult Page<TItem, TResult>(HttpContext http, Page<TItem> page, Func<TItem, TResult> map)
    {
        WriteNext(http, page.Next);
        return Body.Ok(page.Items.Select(map).ToArray());
    }
}
