using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using FastChat.Server.Hosting;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Net.Http.Headers;

namespace FastChat.Server.Endpoints;

/// <summary>The page, out of the assembly, so that the one binary and the library both have it. A route for each file: nothing is caught all.</summary>
internal static class PageEndpoints
{
    private const string Prefix = "wwwroot/";

    // The page is its own scripts and styles and talks to this server alone. Where somebody puts markup in, it does not run.
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
        + "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

    public static void MapPage(this IEndpointRouteBuilder routes)
    {
        foreach (var file in Read())
        {
            routes.MapMethods("/" + file.Path, [HttpMethods.Get, HttpMethods.Head], http => SendAsync(http, file)).AllowAnonymous().ExcludeFromDescription();
            if (file.Path == "index.html")
                routes.MapMethods("/", [HttpMethods.Get, HttpMethods.Head], http => SendAsync(http, file)).AllowAnonymous().ExcludeFromDescription();
        }
    }

    internal static IEnumerable<PageFile> Read()
    {
        var assembly = typeof(PageEndpoints).Assembly;
        var types = new FileExtensionContentTypeProvider();
        foreach (string name in assembly.GetManifestResourceNames())
        {
            string path = name.Replace('\\', '/');
            if (!path.StartsWith(Prefix, StringComparison.Ordinal))
                continue;
            path = path[Prefix.Length..];
            using var stream = assembly.GetManifestResourceStream(name)!;
            byte[] content = new byte[stream.Length];
            stream.ReadExactly(content);
            yield return PageFile.Create(path, types.TryGetContentType(path, out string? type) ? type : "application/octet-stream", content);
        }
    }

    private static async Task SendAsync(HttpContext http, PageFile file)
    {
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
        headers.XFrameOptions = "DENY";
        // Asked for again each time, answered 304: a new version is there at once.
        headers.CacheControl = "no-cache";
        headers.ETag = file.Tag;
        headers.Vary = HeaderNames.AcceptEncoding;
        if (http.Request.Headers.IfNoneMatch.Any(tag => tag is not null && tag.Contains(file.Tag, StringComparison.Ordinal)))
        {
            http.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        bool zipped = file.Zipped is not null && http.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase);
        byte[] content = zipped ? file.Zipped! : file.Content;
        if (zipped)
            headers.ContentEncoding = "gzip";
        headers.ContentType = file.ContentType;
        headers.ContentLength = content.Length;
        if (!HttpMethods.IsHead(http.Request.Method))
            await http.Response.Body.WriteAsync(content, http.RequestAborted);
    }
}

/// <summary>A file of the page.</summary>
/// <param name="Path">Below the root, with slashes.</param>
/// <param name="ContentType">Its media type.</param>
/// <param name="Content">Its bytes.</param>
/// <param name="Zipped">The same with gzip; null where that is no shorter.</param>
/// <param name="Tag">Its entity tag.</param>
internal sealed record PageFile(string Path, string ContentType, byte[] Content, byte[]? Zipped, string Tag)
{
    public static PageFile Create(string path, string contentType, byte[] content)
    {
        using var zipped = new MemoryStream();
        using (var zip = new GZipStream(zipped, CompressionLevel.SmallestSize, leaveOpen: true))
            zip.Write(content);
        // Weak: the same tag for both encodings.
        string tag = string.Create(CultureInfo.InvariantCulture, $"W/\"{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 12))}\"");
        bool isText = contentType.StartsWith("text/", StringComparison.Ordinal) || contentType.EndsWith("json", StringComparison.Ordinal);
        return new PageFile(path, isText ? contentType + "; charset=utf-8" : contentType, content,
            zipped.Length < content.Length * 9 / 10 ? zipped.ToArray() : null, tag);
    }
}
