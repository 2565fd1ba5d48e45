using System.Diagnostics;
using System.Reflection;

namespace FastChat.Benchmarks.Budgets;

/// <summary>Calls a benchmark many times through a delegate of its own type, so that the calling allocates nothing.</summary>
internal abstract class Passes
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Pass = TimeSpan.FromMilliseconds(60);

    // So few calls that a rare allocation shows up, so many that a tier of the JIT is behind them.
    private const int LeastCalls = 4;
    private const int MostCalls = 20_000;

    public static Passes Create(object target, MethodInfo method)
    {
        if (method.ReturnType == typeof(void)) return new OfAction(method.CreateDelegate<Action>(target));
        if (method.ReturnType == typeof(Task)) return new OfTask(method.CreateDelegate<Func<Task>>(target));
        var type = typeof(OfResult<>).MakeGenericType(method.ReturnType);
        return (Passes)Activator.CreateInstance(type, method.CreateDelegate(typeof(Func<>).MakeGenericType(method.ReturnType), target))!;
    }

    public abstract ValueTask RunAsync(int calls);

    /// <summary>Runs until the JIT should be through; says how many calls make a pass.</summary>
    public async Task<int> WarmUpAsync(CancellationToken cancellationToken)
    {
        int calls = 1;
        long start = Stopwatch.GetTimestamp();
        var last = TimeSpan.Zero;
        while (Stopwatch.GetElapsedTime(start) < WarmUp)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long before = Stopwatch.GetTimestamp();
            await RunAsync(calls);
            last = Stopwatch.GetElapsedTime(before);
            if (last < Pass && calls < MostCalls) calls *= 2;
        }
        return Math.Clamp(last > Pass ? (int)(calls * (Pass / last)) : calls, LeastCalls, MostCalls);
    }

    private sealed class OfAction(Action call) : Passes
    {
        public override ValueTask RunAsync(int calls)
        {
            for (int i = 0; i < calls; i++) call();
            return default;
        }
    }

    private sealed class OfResult<T>(Func<T> call) : Passes
    {
        public override ValueTask RunAsync(int calls)
        {
            for (int i = 0; i < calls; i++) _ = call();
            return default;
        }
    }

    private sealed class OfTask(Func<Task> call) : Passes
    {
        public override async ValueTask RunAsync(int calls)
        {
            for (int i = 0; i < calls; i++) await call();
        }
    }
}
