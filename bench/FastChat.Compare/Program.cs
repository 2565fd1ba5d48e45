using System.Globalization;
using System.Runtime.InteropServices;
using FastChat.Compare;
using FastChat.Compare.Load;
using FastChat.Compare.Report;
using FastChat.Compare.Runs;
using FastChat.Compare.Servers;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
// The modes that this program runs itself in end with their input: Ctrl+C, which reaches them too, is for the one that holds it.
using var deaf = args is ["load" or "serve", ..] ? PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = true) : null;
switch (args)
{
    case ["load"]:
        return LoadAgent.Run(Console.In, Console.Out);
    case ["serve", "kestrel", var port]:
        await EchoServers.RunKestrelAsync(int.Parse(port, CultureInfo.InvariantCulture));
        return 0;
    case ["serve", "inbox", var port]:
        await EchoServers.RunInBoxAsync(int.Parse(port, CultureInfo.InvariantCulture));
        return 0;
    case ["--help" or "-h"]:
        Console.WriteLine(ComparisonOptions.Usage);
        return 0;
}

using var interruption = new Interruption();
try
{
    var options = ComparisonOptions.Parse(args);
    var further = options.Config is { } file ? ServerConfig.Read(file) : [];
    if (options.List)
    {
        foreach (var server in (ServerDefinition[])[.. ServerCatalog.BuiltIn, .. further]) Console.WriteLine($"server    {server.Name,-18} {server.Description}");
        Console.WriteLine($"server    {ServerCatalog.NodeName,-18} npm package ws, where Node is");
        foreach (var scenario in Scenario.All) Console.WriteLine($"scenario  {scenario.Name,-18} {scenario.Title}");
        return 0;
    }
    if (options.ServerCpus.Concat(options.ClientCpus).Except(CpuPinning.Allowed).ToArray() is [var cpu, ..] && CpuPinning.IsSupported)
        throw new ArgumentException($"This process may not use CPU {cpu}; it may use {string.Join(", ", CpuPinning.Allowed)}.");
    if (options.ProcessId is { } id && ProcessSampler.CpuSeconds(id) is null) throw new ArgumentException($"--pid: there is no process {id}, or it cannot be looked at.");
    OutputDirectory.Prepare(options.Out);
    IReadOnlyList<ServerDefinition> servers = options.Url is { } url
        ? [new ServerDefinition("url", []) { Description = url.ToString() }]
        : await ServerCatalog.ChooseAsync(options.Servers, further, Console.Error.WriteLine, interruption.Token);
    var report = ComparisonReport.Create(TimeProvider.System.GetUtcNow(), options, servers);
    if (options.Append && ReportFiles.Read(options.Out) is { } earlier) report = earlier.Joined(report);
    if (options.Reference is { } reference && report.Servers.All(s => s.Name != reference)) throw new ArgumentException($"--reference: '{reference}' is not among the servers.");
    using var stop = CancellationTokenSource.CreateLinkedTokenSource(interruption.Token);
    stop.CancelAfter(options.Limit);
    var runs = await new Comparison(options, servers, report.Conditions.Rounds, Console.WriteLine).RunAsync(stop.Token);
    report = report.With(runs);
    Console.WriteLine();
    Console.Write(TextTable.Render(report));
    foreach (string written in ReportFiles.Write(report, options.Out)) Console.WriteLine(written);
    return runs.Count > 0 && runs.All(r => r.Result.Error is null) && !interruption.Token.IsCancellationRequested ? 0 : 1;
}
catch (Exception e) when (e is ArgumentException or FormatException)
{
    Console.Error.WriteLine($"{e.Message} See --help.");
    return 2;
}
catch (Exception e) when (e is IOException or UnauthorizedAccessException or OperationCanceledException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
