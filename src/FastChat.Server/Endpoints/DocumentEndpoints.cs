using System.Buffers;
using System.Net.Mime;
using FastChat.Chat;
using FastChat.Server.Hosting;
using FastChat.Server.Storage.Documents;
using FastChat.Storage;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace FastChat.Server.Endpoints;

/// <summary>A document.</summary>
internal sealed record DocumentBody(string Id, string ChatbotId, string FileName, string ContentType, long Size, int PassageCount, DateTime CreatedAt)
{
    public static DocumentBody From(DocumentRecord d) =>
        new(d.Id, d.ChatbotId, d.FileName, d.ContentType, d.Size, d.PassageCount, d.CreatedAt.UtcDateTime);
}

/// <summary>Documents of a chatbot.</summary>
internal static class DocumentEndpoints
{
    // What the multipart form puts around the file.
    private const int FormOverhead = 64 * 1024;
    private const int MaxBoundaryLength = 100;

    public static void MapDocuments(this IEndpointRouteBuilder routes, FastChatOptions options)
    {
        var group = routes.MapGroup("/chatbots/{id}/documents").WithTags("Documents").ProducesProblem(404);
        group.MapGet("", ListAsync).Produces<DocumentBody[]>().WithSummary("Your documents of a chatbot, newest first.").TakesPage();
        group.MapPost("", UploadAsync).WithMetadata(new ChatApi.BodyLimit(options.MaxDocumentBytes + FormOverhead))
            .Accepts<IFormFile>(MediaTypeNames.Multipart.FormData).Produces<DocumentBody>(201)
            .ProducesProblem(400).ProducesProblem(413).ProducesProblem(415)
            .WithSummary("Uploads a document: the first file of a multipart form.");
        group.MapDelete("/{documentId}", DeleteAsync).Produces<DoneBody>().WithSummary("Deletes a document of yours.");
    }

    private static async Task<IResult> ListAsync(HttpContext http, ChatEngine engine, string id)
    {
        var page = await engine.Directory.ListDocumentsAsync(http.Caller().Id, id, Paging.Read(http), http.RequestAborted);
        return Paging.Page(http, page, DocumentBody.From);
    }

    private static async Task<IResult> UploadAsync(HttpContext http, ChatEngine engine, FastChatOptions options, string id)
    {
        string user = http.Caller().Id;
        // Before its file is read: whoever may not use the chatbot sends it for nothing.
        await engine.Directory.GetChatbotAsync(user, id, http.RequestAborted);
        if (!MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type)
            || !type.MediaType.Equals(MediaTypeNames.Multipart.FormData, StringComparison.OrdinalIgnoreCase)
            || HeaderUtilities.RemoveQuotes(type.Boundary).ToString() is not { Length: > 0 and <= MaxBoundaryLength } boundary)
            throw new DocumentException(true, "A document is uploaded as multipart/form-data.");
        var (name, contentType, content) = await ReadFormAsync(http, boundary, options.MaxDocumentBytes);
        // Parsing a large file takes its time: not on a thread that serves others.
        var document = await Task.Run(() => DocumentReader.Read(user, id, name, contentType, content), http.RequestAborted);
        var stored = await engine.Directory.AddDocumentAsync(document, http.RequestAborted);
        return Body.Ok(DocumentBody.From(stored), StatusCodes.Status201Created);
    }

    private static async Task<(string Name, string? ContentType, byte[] Content)> ReadFormAsync(HttpContext http, string boundary, int limit)
    {
        var reader = new MultipartReader(boundary, http.Request.Body) { HeadersCountLimit = 16, HeadersLengthLimit = 16 * 1024 };
        try
        {
            while (await reader.ReadNextSectionAsync(http.RequestAborted) is { } section)
            {
                if (section.AsFileSection() is { FileStream: { } stream, FileName.Length: > 0 } file)
                    return (file.FileName, section.ContentType, await ReadAsync(stream, limit, http.RequestAborted));
            }
        }
        catch (Exception e) when (e is InvalidDataException or IOException && e is not BadHttpRequestException)
        {
            throw new ChatException(ChatErrorCode.BadRequest, "The form is malformed.");
        }
        throw new ChatException(ChatErrorCode.BadRequest, "There is no file in the form.");
    }

    private static async Task<byte[]> ReadAsync(Stream file, int limit, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            int read;
            while ((read = await file.ReadAsync(buffer, cancellationToken)) > 0)
            {
                if (content.Length + read > limit)
                    throw new ChatException(ChatErrorCode.TooLarge, $"A document has at most {limit} bytes.");
                content.Write(buffer, 0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        return content.ToArray();
    }

    private static async Task<IResult> DeleteAsync(HttpContext http, ChatEngine engine, string id, string documentId)
    {
        await engine.Directory.DeleteDocumentAsync(http.Caller().Id, id, documentId, http.RequestAborted);
        return Body.Ok(new DoneBody("Document deleted"));
    }
}
