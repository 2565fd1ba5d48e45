using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Running;
using FastChat.Benchmarks.Budgets;

// --budgets checks bench/allocation-budgets.json in under two minutes; anything else is BenchmarkDotNet's own command line.
int at = Array.IndexOf(args, "--budgets");
if (at < 0)
{
    BenchmarkSwitcher.FromAssembly(typeof(BudgetRun).Assembly)
        .Run(args, ManualConfig.Create(DefaultConfig.Instance).WithOptions(ConfigOptions.JoinSummary | ConfigOptions.DisableOptimizationsValidator));
    return 0;
}
string file = at + 1 < args.Length && !args[at + 1].StartsWith('-') ? args[at + 1] : Path.Combine(AppContext.BaseDirectory, "allocation-budgets.json");
return BudgetRun.Check(file, Console.Out);
