using System.Globalization;
using FastChat.LoadTests.Commands;
using Spectre.Console;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
bool isInteractive = !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Ansi;
// The live view hides the cursor, and cannot give it back when the program ends at once.
using var interruption = new Interruption(() => Console.Out.Write(isInteractive ? "\e[?25h\n" : ""));
return await CommandLine.RunAsync(args, Console.Out, Console.Error, isInteractive, interruption.Token);
