using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Running;
using FastChat.Benchmarks.Budgets;
using FastChat.Benchmarks.ChatCost;

// --budgets checks bench/allocation-budgets.json in under two minutes; anything else is BenchmarkDotNet's own command line.
// --chat tells what a chat costs beyond the bare WebSocket; it runs this program again as the bare server.
if (args is [BareServer.Role, var work, var pause]) return await BareServer.RunAsync(work, pause);
if (args is [ChatCostRun.Flag, .. var chat]) return await ChatCostRun.RunAsync(chat, Console.Out);
int at = Array.IndexOf(args, "--budgets");
if (at < 0)
{
    BenchmarkSwitcher.FromAssembly(typeof(BudgetRun).Assembly)
        .Run(args, ManualConfig.Create(DefaultConfig.Instance).WithOptions(ConfigOptions.JoinSummary | ConfigOptions.DisableOptimizationsValidator));
    return 0;
}
string file = at + 1 < args.Length && !args[at + 1].StartsWith('-') ? args[at + 1] : Path.Combine(AppContext.BaseDirectory, "allocation-budgets.json");
return BudgetRun.Check(file, Console.Out);
