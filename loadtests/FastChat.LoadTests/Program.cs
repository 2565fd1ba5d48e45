using System.Globalization;
using System.Runtime.InteropServices;
using FastChat.LoadTests.Commands;
using Spectre.Console;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
using var stop = new CancellationTokenSource();
// The first ends the run, with its report; the second ends the program.
void Interrupt(PosixSignalContext signal)
{
    if (stop.IsCancellationRequested) return;
    signal.Cancel = true;
    stop.Cancel();
}
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
bool isInteractive = !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Ansi;
return await CommandLine.RunAsync(args, Console.Out, Console.Error, isInteractive, stop.Token);
