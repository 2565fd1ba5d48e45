namespace FastChat.Benchmarks.Budgets;

/// <summary>
/// A benchmark whose allocations are held to the figure that allocation-budgets.json gives under "Class.Method", in bytes an operation, for
/// each of its parameters. Each budgeted benchmark needs a budget, and each budget a benchmark.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BudgetedAttribute : Attribute;
