using System.Diagnostics;
using System.Text.Json;
using FastChat.Compare.Load;
using FastChat.Compare.Servers;

namespace FastChat.Compare.Runs;

/// <summary>The load process, as the one who gives it orders sees it. It is started anew after one that did not answer.</summary>
internal sealed class LoadClient(IReadOnlyList<int> cpus) : IDisposable
{
    // Connecting, draining and settling, beyond the seconds asked for: the load process bounds each of these itself.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);

    private Process? _process;

    /// <summary>Has an order carried out. A client that does not answer is a result too.</summary>
    public async Task<LoadResult> RunAsync(LoadOrder order, CancellationToken cancellationToken)
    {
        var process = _process ??= Start();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(order.LeadIn + order.Seconds) + Grace);
        try
        {
            await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(order, LoadJson.Default.LoadOrder).AsMemory(), limit.Token);
            await process.StandardInput.FlushAsync(limit.Token);
            if (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line) return JsonSerializer.Deserialize(line, LoadJson.Default.LoadResult)!;
            Stop();
            return new LoadResult { Error = "The load process ended." };
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or JsonException)
        {
            Stop();
            cancellationToken.ThrowIfCancellationRequested();
            return new LoadResult { Error = e is OperationCanceledException ? "The load process took too long." : $"The load process failed: {e.Message}" };
        }
    }

    public void Dispose() => Stop();

    private Process Start()
    {
        string[] command = ThisProgram.Command("load");
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        // One thread does all; a collector beside it would only take its time. (The servers of this program keep .NET's defaults.)
        start.Environment["DOTNET_gcConcurrent"] = "0";
        return CpuPinning.Start(start, cpus);
    }

    private void Stop()
    {
        if (_process is null) return;
        try
        {
            _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
        _process.Dispose();
        _process = null;
    }
}
