using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace FastChat.Core.Tests.Connections;

/// <summary>Keeps what is logged.</summary>
internal sealed class RecordingLogger : ILogger, ILoggerFactory
{
    public readonly record struct Line(LogLevel Level, int Id, string Text, Exception? Exception);

    public ConcurrentQueue<Line> Lines { get; } = new();

    public IEnumerable<Line> Of(int id) => Lines.Where(line => line.Id == id);

    /// <summary>The lines that tell of the end of a connection.</summary>
    public IEnumerable<string> Endings => Of(10).Select(line => line.Text);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue(new(logLevel, eventId.Id, formatter(state, exception), exception));

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public void Dispose()
    {
    }
}
