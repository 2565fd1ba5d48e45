using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using FastChat.Storage;
using FastChat.Storage.Retrieval;

namespace FastChat.Server.Storage.Documents;

/// <summary>Makes documents out of uploaded files: their text, in passages.</summary>
internal static partial class DocumentReader
{
    /// <summary>Reads a file.</summary>
    /// <param name="ownerId">Who uploads it.</param>
    /// <param name="chatbotId">For which chatbot.</param>
    /// <param name="fileName">Its name; a path before it is dropped.</param>
    /// <param name="contentType">Its Content-Type with parameters; null for none.</param>
    /// <param name="content">Its bytes.</param>
    /// <exception cref="DocumentException">It is of another kind, of a broken encoding, malformed, or without text.</exception>
    public static NewDocument Read(string ownerId, string chatbotId, string fileName, string? contentType, ReadOnlySpan<byte> content)
    {
        string name = fileName[(fileName.LastIndexOfAny(['/', '\\']) + 1)..].Trim();
        if (name.Length is 0 or > 255)
            throw new DocumentException(false, "A file needs a name of at most 255 characters.");
        var format = DocumentFormat.Of(name, contentType);
        string text = format.ToText(Decode(format, contentType, content)).ReplaceLineEndings("\n").Trim();
        var passages = PassageSplitter.Split(text);
        if (passages.Count == 0)
            throw new DocumentException(false, "There is no text in this file.");
        return new NewDocument(ownerId, chatbotId, name, text, passages) { ContentType = format.MediaTypes[0], Size = content.Length };
    }

    private static string Decode(DocumentFormat format, string? contentType, ReadOnlySpan<byte> content)
    {
        var (encoding, mark) = OfByteOrderMark(content);
        encoding ??= Named(Charset(format, contentType, content));
        try
        {
            string text = encoding.GetString(content[mark..]);
            return text.Contains('\0', StringComparison.Ordinal) ? throw new DocumentException(true, "This is not a text file.") : text;
        }
        catch (DecoderFallbackException e)
        {
            throw new DocumentException(false, $"The text is not valid {encoding.WebName.ToUpperInvariant()}; save the file as UTF-8.", e);
        }
    }

    private static (Encoding? Encoding, int Length) OfByteOrderMark(ReadOnlySpan<byte> content) => content switch
    {
        [0xef, 0xbb, 0xbf, ..] => (Strict(Encoding.UTF8), 3),
        [0xff, 0xfe, 0, 0, ..] => (Strict(Encoding.UTF32), 4),
        [0xff, 0xfe, ..] => (Strict(Encoding.Unicode), 2),
        [0xfe, 0xff, ..] => (Strict(Encoding.BigEndianUnicode), 2),
        _ => (null, 0),
    };

    private static string Charset(DocumentFormat format, string? contentType, ReadOnlySpan<byte> content)
    {
        if (MediaTypeHeaderValue.TryParse(contentType, out var type) && type.CharSet is { Length: > 0 } said)
            return said.Trim('"');
        if (format != DocumentFormat.Html)
            return "utf-8";
        // A page may say in its first 1024 bytes what it is written in (HTML Standard, "prescan a byte stream").
        var meta = MetaCharset().Match(Encoding.Latin1.GetString(content[..Math.Min(content.Length, 1024)]));
        return meta.Success ? meta.Groups[1].Value : "utf-8";
    }

    private static Encoding Named(string charset)
    {
        try
        {
            return Strict(CodePagesEncodingProvider.Instance.GetEncoding(charset) ?? Encoding.GetEncoding(charset));
        }
        catch (ArgumentException e)
        {
            throw new DocumentException(false, "The file's character encoding is not known here; save it as UTF-8.", e);
        }
    }

    private static Encoding Strict(Encoding encoding)
    {
        var strict = (Encoding)encoding.Clone();
        strict.DecoderFallback = DecoderFallback.ExceptionFallback;
        return strict;
    }

    [GeneratedRegex("""<meta[^>]+charset\s*=\s*["']?\s*([a-z0-9_:-]+)""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex MetaCharset();
}
