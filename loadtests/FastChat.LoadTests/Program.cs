using System.Globalization;
using FastChat.LoadTests.Commands;
using Spectre.Console;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
using var interruption = new Interruption();
bool isInteractive = !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Ansi;
return await CommandLine.RunAsync(args, Console.Out, Console.Error, isInteractive, interruption.Token);
