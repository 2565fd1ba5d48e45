using System.Diagnostics;
using System.Globalization;

namespace FastChat.Benchmarks.Budgets;

/// <summary>Holds every budgeted benchmark against its budget. It counts bytes, not time, so a busy machine does not disturb it.</summary>
internal static class BudgetRun
{
    // What is left of 0 bytes when a timer elsewhere allocates a little in each of the passes.
    private const double Noise = 0.05;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <summary>Prints a table of budgets and figures.</summary>
    /// <returns>0; 1 where a budget is exceeded, names no benchmark, or is missing; 2 where the file is wrong.</returns>
    public static int Check(string file, TextWriter output)
    {
        IReadOnlyDictionary<string, double> budgets;
        try
        {
            budgets = BudgetFile.Read(file);
        }
        catch (Exception e) when (e is IOException or FormatException or System.Text.Json.JsonException)
        {
            output.WriteLine(e.Message);
            return 2;
        }
        long start = Stopwatch.GetTimestamp();
        using var limit = new CancellationTokenSource(Limit);
        var cases = BudgetCase.Find(typeof(BudgetRun).Assembly).ToArray();
        output.WriteLine($"{"benchmark",-44} {"parameters",-38} {"budget B/op",12} {"measured",10}");
        int failures = 0;
        foreach (var one in cases)
        {
            bool known = budgets.TryGetValue(one.Name, out double budget);
            string measured, verdict;
            try
            {
                // Not on this thread's stack: what blocks must meet its bound too.
                double bytes = Task.Run(() => one.MeasureAsync(limit.Token)).WaitAsync(limit.Token).GetAwaiter().GetResult();
                measured = bytes.ToString(bytes < 10 ? "0.##" : "0", CultureInfo.InvariantCulture);
                verdict = !known ? "NO BUDGET" : bytes > budget + Noise ? "EXCEEDED" : "";
            }
            catch (Exception e)
            {
                measured = "-";
                verdict = $"FAILED: {(e is OperationCanceledException ? $"not done within {Limit.TotalSeconds:0} s" : e.ToString())}";
            }
            if (verdict.Length > 0) failures++;
            string allowed = known ? budget.ToString("0.##", CultureInfo.InvariantCulture) : "-";
            output.WriteLine($"{one.Name,-44} {one.Parameters,-38} {allowed,12} {measured,10} {verdict}".TrimEnd());
            output.Flush();
        }
        foreach (string name in budgets.Keys.Except(cases.Select(c => c.Name)))
        {
            failures++;
            output.WriteLine($"{name,-44} {"",-38} {budgets[name].ToString("0.##", CultureInfo.InvariantCulture),12} {"-",10} NO SUCH BENCHMARK");
        }
        output.WriteLine($"{cases.Length} measured, {failures} failed, {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s.");
        return failures == 0 ? 0 : 1;
    }
}
