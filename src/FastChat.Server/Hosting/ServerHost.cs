using System.Net;
using System.Security.Cryptography.X509Certificates;
using FastChat.Server.Auth.Http;
using FastChat.Server.Commands;
using FastChat.Server.Configuration;
using FastChat.Server.Models;
using FastChat.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FastChat.Server.Hosting;

/// <summary>Composes the server from checked options and runs it.</summary>
internal static class ServerHost
{
    /// <summary>Runs until the token is cancelled, then drains.</summary>
    /// <param name="options">Checked options.</param>
    /// <param name="output">Gets one line when connections are accepted. Logs go to standard error.</param>
    /// <param name="cancellationToken">Ends the server.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(ServeOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        // ASP.NET Core logs addresses with their query at Information: a token may be in there.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Logging.AddConfiguration(options.Configuration.GetSection("Logging"));
        builder.Logging.AddSimpleConsole();
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Listen(kestrel, options));
        builder.Services.AddFastChatModels(options.Configuration);
        builder.Services.AddFastChatAuth(options.Auth, options.RateLimits, options.UserIdTrust, options.Data.Directory);
        await using var store = await Stores.OpenAsync(
            options.Data, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, cancellationToken);
        builder.Services.AddSingleton(store);
        await using var app = builder.Build();
        app.MapGet("/health/live", static () => Results.Text("live"));
        app.MapGet("/health/ready", static async (IChatStore store, CancellationToken stop) =>
        {
            await store.PingAsync(stop);
            return Results.Text("ready");
        });
        await app.StartAsync(cancellationToken);
        await output.WriteLineAsync(ServeCommand.ReadyLine(app.Urls.First()));
        await output.FlushAsync(CancellationToken.None);
        await app.WaitForShutdownAsync(cancellationToken);
        return ExitCode.Success;
    }

    private static void Listen(KestrelServerOptions kestrel, ServeOptions options)
    {
        void Configure(ListenOptions listen)
        {
            if (options.CertificateFile is { } certificate)
                listen.UseHttps(X509Certificate2.CreateFromPemFile(certificate, options.KeyFile));
        }
        if (options.Host == "*")
            kestrel.ListenAnyIP(options.Port, Configure);
        else if (options.Host != "localhost")
            kestrel.Listen(IPAddress.Parse(options.Host.Trim('[', ']')), options.Port, Configure);
        else if (options.Port == 0)
            kestrel.Listen(IPAddress.Loopback, 0, Configure);
        else
            kestrel.ListenLocalhost(options.Port, Configure);
    }
}
