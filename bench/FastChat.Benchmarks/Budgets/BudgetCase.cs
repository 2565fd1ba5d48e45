using System.Reflection;
using BenchmarkDotNet.Attributes;

namespace FastChat.Benchmarks.Budgets;

/// <summary>One benchmark with one choice of its parameters, run without BenchmarkDotNet.</summary>
internal sealed class BudgetCase
{
    private readonly Type _type;
    private readonly MethodInfo _method;
    private readonly (PropertyInfo Property, object? Value)[] _parameters;

    private BudgetCase(Type type, MethodInfo method, (PropertyInfo Property, object? Value)[] parameters) => (_type, _method, _parameters) = (type, method, parameters);

    /// <summary>"Class.Method": what a budget names.</summary>
    public string Name => $"{_type.Name}.{_method.Name}";

    public string Parameters => string.Join(", ", _parameters.Select(p => $"{p.Property.Name}={p.Value}"));

    /// <summary>What one call counts for.</summary>
    private int Operations => _method.GetCustomAttribute<BenchmarkAttribute>()!.OperationsPerInvoke;

    /// <summary>Every budgeted benchmark of an assembly, once for each combination of its parameters.</summary>
    public static IEnumerable<BudgetCase> Find(Assembly assembly) =>
        from type in assembly.GetTypes()
        where !type.IsAbstract
        orderby type.Name
        from method in type.GetMethods()
        where method.GetCustomAttribute<BudgetedAttribute>() is not null
        from parameters in Combine([.. type.GetProperties().Where(IsParameter)])
        select new BudgetCase(type, method, parameters);

    /// <summary>Sets up, warms up, measures, cleans up.</summary>
    /// <returns>Bytes an operation, on all threads: the least of some passes, since what others allocate meanwhile is not the benchmark's.</returns>
    public async Task<double> MeasureAsync(CancellationToken cancellationToken)
    {
        object target = Activator.CreateInstance(_type)!;
        foreach (var (property, value) in _parameters) property.SetValue(target, value);
        await CallAsync<GlobalSetupAttribute>(target);
        try
        {
            var passes = Passes.Create(target, _method);
            double least = double.MaxValue;
            int calls = await passes.WarmUpAsync(cancellationToken);
            for (int pass = 0; pass < 4; pass++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                long before = GC.GetTotalAllocatedBytes(precise: true);
                await passes.RunAsync(calls);
                least = Math.Min(least, (GC.GetTotalAllocatedBytes(precise: true) - before) / ((double)calls * Operations));
            }
            return least;
        }
        finally
        {
            await CallAsync<GlobalCleanupAttribute>(target);
        }
    }

    private static bool IsParameter(PropertyInfo property) =>
        property.IsDefined(typeof(ParamsAttribute)) || property.IsDefined(typeof(ParamsAllValuesAttribute)) || property.IsDefined(typeof(ParamsSourceAttribute));

    private static IEnumerable<(PropertyInfo, object?)[]> Combine(PropertyInfo[] properties) => properties.Aggregate(
        (IEnumerable<(PropertyInfo, object?)[]>)[[]],
        (chosen, property) => from before in chosen from value in Values(property) select ((PropertyInfo, object?)[])[.. before, (property, value)]);

    private static IEnumerable<object?> Values(PropertyInfo property)
    {
        if (property.GetCustomAttribute<ParamsAttribute>() is { } values) return values.Values;
        if (property.GetCustomAttribute<ParamsSourceAttribute>() is { } source)
            return ((System.Collections.IEnumerable)property.DeclaringType!.GetProperty(source.Name)!.GetValue(null)!).Cast<object?>();
        return property.PropertyType == typeof(bool) ? [false, true] : Enum.GetValues(property.PropertyType).Cast<object?>();
    }

    private async Task CallAsync<TAttribute>(object target)
        where TAttribute : TargetedAttribute
    {
        foreach (var method in _type.GetMethods().Where(m => m.GetCustomAttribute<TAttribute>() is { } a && (a.Targets.Length == 0 || a.Targets.Contains(_method.Name))))
        {
            if (method.Invoke(target, null) is Task task) await task;
        }
    }
}
