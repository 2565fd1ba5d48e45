using System.Collections;
using System.Runtime.InteropServices;
using System.Text;
using FastChat.Server.Commands;
using FastChat.Server.Configuration;
using FastChat.Server.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

using var interrupts = new Interrupts();
// A second signal, while the command is ending, is not held back: it kills.
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = interrupts.Interrupt());
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => signal.Cancel = interrupts.End());
// The terminal was closed. That may be told twice, by the shell and by the kernel: a second one is no impatience.
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
{
    interrupts.End();
    signal.Cancel = true;
});
if (!Console.IsOutputRedirected)
    Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
return await CommandLine.RunAsync(args, new CommandContext
{
    In = Console.In,
    Out = Console.Out,
    Error = Console.Error,
    WorkingDirectory = Environment.CurrentDirectory,
    Environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
        .ToDictionary(variable => (string)variable.Key, variable => (string?)variable.Value ?? ""),
    Interactive = !Console.IsInputRedirected && !Console.IsOutputRedirected,
    Interrupts = interrupts,
    OpenStore = (data, time, stop) => Stores.OpenAsync(data, time, NullLogger.Instance, stop),
    Serve = ServerHost.RunAsync,
}, interrupts.Token);
