using FastChat.Server.Commands;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace FastChat.Server.Hosting;

/// <summary>
/// Sends metrics and traces to a collector, where <c>Telemetry:OtlpEndpoint</c> (OTLP over HTTP) or OpenTelemetry's own
/// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> names one; costs nothing otherwise.
/// </summary>
internal sealed class Telemetry(FastChatOptions options) : IHostedService, IDisposable
{
    private MeterProvider? _meters;
    private TracerProvider? _traces;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.OtlpEndpoint is null && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT")))
            return Task.CompletedTask;
        // ASP.NET Core 10 puts method, path and status on its spans only when it is asked to; the query, with its token, never.
        AppContext.SetSwitch("Microsoft.AspNetCore.Hosting.SuppressActivityOpenTelemetryData", false);
        var resource = ResourceBuilder.CreateDefault().AddService("fastchat", serviceVersion: CommandLine.Version);
        _meters = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource)
            .AddMeter("FastChat", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
            .AddOtlpExporter(exporter => Configure(exporter, "v1/metrics")).Build();
        _traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource)
            .AddSource("FastChat", "Microsoft.AspNetCore")
            .AddOtlpExporter(exporter => Configure(exporter, "v1/traces")).Build();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.Run(Dispose, cancellationToken);

    // Disposing flushes.
    public void Dispose()
    {
        Interlocked.Exchange(ref _traces, null)?.Dispose();
        Interlocked.Exchange(ref _meters, null)?.Dispose();
    }

    private void Configure(OtlpExporterOptions exporter, string path)
    {
        if (options.OtlpEndpoint is not { } endpoint)
            return;
        exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
        exporter.Endpoint = new Uri(endpoint.AbsoluteUri.TrimEnd('/') + "/" + path);
    }
}
