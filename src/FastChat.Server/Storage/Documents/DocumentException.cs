namespace FastChat.Server.Storage.Documents;

/// <summary>An uploaded file cannot be used. The message is one sentence for whoever uploaded it.</summary>
/// <param name="unsupported">True when files of this kind never are (HTTP 415), false when this one is broken (HTTP 400).</param>
/// <param name="message">One sentence.</param>
/// <param name="innerException">What the parser said.</param>
internal sealed class DocumentException(bool unsupported, string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    public bool Unsupported => unsupported;
}
