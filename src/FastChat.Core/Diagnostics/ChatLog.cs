using FastChat.Chat;
using Microsoft.Extensions.Logging;

namespace FastChat.Diagnostics;

/// <summary>What the chat engine logs: ids, counts and reasons; never a message's text, never a token.</summary>
internal static partial class ChatLog
{
    [LoggerMessage(2001, LogLevel.Information, "Answer {MessageId} by {Model} ended: {FinishReason}, {Chunks} chunks in {Milliseconds:F0} ms.")]
    public static partial void GenerationEnded(
        ILogger logger, string messageId, string model, string finishReason, int chunks, double milliseconds);

    [LoggerMessage(2002, LogLevel.Warning, "Answer {MessageId} failed: {Code} ({Failure}).")]
    public static partial void GenerationFailed(ILogger logger, string messageId, ChatErrorCode code, string failure);

    [LoggerMessage(2012, LogLevel.Debug, "Answer {MessageId} failed.")]
    public static partial void GenerationFailure(ILogger logger, string messageId, Exception exception);

    [LoggerMessage(2013, LogLevel.Error, "Running answer {MessageId} failed unexpectedly.")]
    public static partial void TurnFailed(ILogger logger, string messageId, Exception exception);

    [LoggerMessage(2003, LogLevel.Error, "Answer {MessageId} could not be saved.")]
    public static partial void AnswerNotSaved(ILogger logger, string messageId, Exception exception);

    [LoggerMessage(2004, LogLevel.Information, "Session {SessionId} of user {UserId} opened on conversation {ConversationId}.")]
    public static partial void SessionOpened(ILogger logger, string sessionId, string userId, string conversationId);

    [LoggerMessage(2005, LogLevel.Information, "Session {SessionId} of user {UserId} closed: {Reason}.")]
    public static partial void SessionClosed(ILogger logger, string sessionId, string userId, SessionEnd reason);

    [LoggerMessage(2006, LogLevel.Error, "A message on a socket failed.")]
    public static partial void MessageFailed(ILogger logger, Exception exception);

    [LoggerMessage(2007, LogLevel.Debug, "Sending to a socket failed.")]
    public static partial void SendFailed(ILogger logger, Exception exception);

    [LoggerMessage(2008, LogLevel.Error, "The sweep over time limits failed.")]
    public static partial void SweepFailed(ILogger logger, Exception exception);

    [LoggerMessage(2009, LogLevel.Information, "Draining: {Running} answers are still running.")]
    public static partial void Draining(ILogger logger, int running);

    [LoggerMessage(2010, LogLevel.Debug, "A socket was refused: {Code}.")]
    public static partial void MessageRefused(ILogger logger, ChatErrorCode code);

    [LoggerMessage(2011, LogLevel.Error, "A callback after the commit of a message failed.")]
    public static partial void AcceptedCallbackFailed(ILogger logger, Exception exception);
}
