using System.Text;
using FastChat.Server.Commands;
using FastChat.Server.Configuration;
using FastChat.Server.Tests.Hosting;
using FastChat.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastChat.Server.Tests.Commands;

/// <summary>Runs command lines in process, in a directory of their own, with captured streams and a server that only notes its options.</summary>
internal sealed class CommandRunner : IDisposable
{
    public static readonly TimeSpan Bound = TestServer.Patience;

    public DirectoryInfo Directory { get; } = System.IO.Directory.CreateTempSubdirectory("fastchat-cli-");

    public Dictionary<string, string> Environment { get; } = [];

    public Interrupts Interrupts { get; } = new();

    public TextReader In { get; set; } = TextReader.Null;

    public WatchedWriter Out { get; } = new();

    public bool Interactive { get; set; }

    /// <summary>What serve was called with; null while it was not.</summary>
    public ServeOptions? Served { get; private set; }

    public Func<DataOptions, TimeProvider, CancellationToken, Task<IChatStore>> OpenStore { get; set; } =
        (data, time, stop) => Stores.OpenAsync(data, time, NullLogger.Instance, stop);

    /// <summary>What serve does; by default nothing, so that it ends at once.</summary>
    public Func<CancellationToken, Task> Serve { get; set; } = _ => Task.CompletedTask;

    public string DataDirectory => Path.Combine(Directory.FullName, "data");

    public string Write(string name, string content)
    {
        string path = Path.Combine(Directory.FullName, name);
        File.WriteAllText(path, content);
        return path;
    }

    /// <summary>Runs a command line; returns its exit code and the lines of both streams.</summary>
    public async Task<(int Code, string[] Out, string[] Error)> RunAsync(params string[] args)
    {
        Out.Clear();
        var error = new StringWriter();
        var context = new CommandContext
        {
            In = In,
            Out = Out,
            Error = error,
            WorkingDirectory = Directory.FullName,
            Environment = Environment,
            Interactive = Interactive,
            Interrupts = Interrupts,
            OpenStore = OpenStore,
            Serve = async (options, _, cancellationToken) =>
            {
                Served = options;
                await Serve(cancellationToken);
                return ExitCode.Success;
            },
        };
        int code = await CommandLine.RunAsync(args, context, Interrupts.Token).WaitAsync(Bound);
        return (code, Lines(Out), Lines(error));
    }

    public void Dispose()
    {
        Interrupts.Dispose();
        Directory.Delete(recursive: true);
    }

    private static string[] Lines(TextWriter writer) => writer.ToString()!.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Keeps what is written, and can be waited on for a text to appear.</summary>
    internal sealed class WatchedWriter : TextWriter
    {
        private readonly Lock _gate = new();
        private readonly StringBuilder _text = new();
        private (string Text, TaskCompletionSource Seen)? _awaited;

        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => Write([value]);

        public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

        public override void Write(string? value) => Write(value.AsSpan());

        public override void Write(ReadOnlySpan<char> buffer)
        {
            lock (_gate)
            {
                _text.Append(buffer);
                Look();
            }
        }

        /// <summary>Completes when this has been written.</summary>
        public Task WaitForAsync(string text)
        {
            lock (_gate)
            {
                _awaited = (text, new(TaskCreationOptions.RunContinuationsAsynchronously));
                Look();
                return _awaited.Value.Seen.Task.WaitAsync(Bound);
            }
        }

        public void Clear()
        {
            lock (_gate)
                _text.Clear();
        }

        public override string ToString()
        {
            lock (_gate)
                return _text.ToString();
        }

        private void Look()
        {
            if (_awaited is { } awaited && _text.ToString().Contains(awaited.Text, StringComparison.Ordinal))
                awaited.Seen.TrySetResult();
        }
    }
}
