using System.Net;
using System.Net.Sockets;
using FastChat.Server.Auth.Http;
using FastChat.Server.Commands;
using FastChat.Server.Configuration;
using FastChat.Server.Endpoints;
using FastChat.Server.Models;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace FastChat.Server.Hosting;

/// <summary>Composes the server from checked options and runs it.</summary>
internal static class ServerHost
{
    // A token may fill 8 KiB of a head.
    internal const int MaxHeadBytes = 16 * 1024;

    /// <summary>Runs until the token is cancelled, then drains.</summary>
    /// <param name="options">Checked options.</param>
    /// <param name="output">Gets one line when connections are accepted. Logs go to standard error.</param>
    /// <param name="cancellationToken">Ends the server.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(ServeOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        await using var app = Build(options);
        await app.StartAsync(cancellationToken);
        await output.WriteLineAsync(ServeCommand.ReadyLine(app.Urls.First()));
        await output.FlushAsync(CancellationToken.None);
        await app.WaitForShutdownAsync(cancellationToken);
        return ExitCode.Success;
    }

    /// <summary>Composes the server, which <c>StartAsync</c> then binds and starts.</summary>
    /// <param name="options">Checked options.</param>
    /// <param name="configure">Last changes to the services, for tests.</param>
    internal static WebApplication Build(ServeOptions options, Action<IServiceCollection>? configure = null)
    {
        // Empty: what the process and its environment say to other ASP.NET Core applications is none of this one's.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions
        {
            ApplicationName = "fastchat",
            ContentRootPath = AppContext.BaseDirectory,
        });
        var chat = options.ToFastChat();
        ServerLogging.Add(builder.Logging, options.Configuration);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => Configure(kestrel, options, chat));
        var services = builder.Services;
        services.AddSingleton<IHostLifetime, NoLifetime>();
        services.AddRouting();
        services.AddCors(cors => cors.AddDefaultPolicy(policy => Configure(policy, chat)));
        services.AddFastChatModels(options.Configuration);
        services.AddFastChatServices(chat);
        services.AddHostedService<Telemetry>();
        services.AddHostedService(s => new MemoryTrim(s.GetRequiredService<TimeProvider>()));
        ApiDocument.Add(services);
        if (options.CertificateFile is { } certificate)
        {
            services.AddSingleton(s => new CertificateFiles(certificate, options.KeyFile!, s.GetRequiredService<TimeProvider>(),
                s.GetRequiredService<ILogger<CertificateFiles>>()));
            services.AddSingleton<IConnectionListenerFactory>(s => new TlsPortFactory(
                EndPointOf(options), s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILoggerFactory>()));
        }
        else
            services.AddSingleton(new SharedPort(EndPointOf(options))).AddSingleton<IConnectionListenerFactory, SharedPortFactory>();
        configure?.Invoke(services);
        var app = builder.Build();
        Map(app);
        return app;
    }

    private static void Map(WebApplication app)
    {
        app.UseMiddleware<RequestLog>();
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            ExceptionHandler = static http => Problems.WriteAsync(http, StatusCodes.Status500InternalServerError, "Internal server error"),
        });
        app.UseStatusCodePages(static context => Problems.WriteAsync(
            context.HttpContext, context.HttpContext.Response.StatusCode, DetailOf(context.HttpContext.Response.StatusCode)));
        app.UseRouting();
        app.UseCors();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapFastChat();
        app.MapOpenApi("/openapi/{documentName}.json").AllowAnonymous();
    }

    private static void Configure(KestrelServerOptions kestrel, ServeOptions options, FastChatOptions chat)
    {
        kestrel.AddServerHeader = false;
        var limits = kestrel.Limits;
        limits.MaxRequestBodySize = chat.MaxBodyBytes;
        limits.MaxRequestHeadersTotalSize = MaxHeadBytes;
        limits.MaxRequestLineSize = MaxHeadBytes;
        limits.RequestHeadersTimeout = chat.HandshakeTimeout;
        limits.MaxConcurrentConnections = chat.MaxConnections;
        limits.MaxConcurrentUpgradedConnections = chat.MaxConnections;
        kestrel.Listen(EndPointOf(options), listen =>
        {
            listen.Protocols = options.CertificateFile is null ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
            if (options.CertificateFile is null)
                return;
            var files = kestrel.ApplicationServices.GetRequiredService<CertificateFiles>();
            listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => new(files.Options()), HandshakeTimeout = chat.HandshakeTimeout });
        });
    }

    private static void Configure(CorsPolicyBuilder policy, FastChatOptions chat)
    {
        var origins = new AllowedOrigins(chat.AllowedOrigins);
        if (origins.AllowsAny)
            policy.AllowAnyOrigin();
        else
            policy.SetIsOriginAllowed(origins.Allows);
        policy.WithMethods("GET", "POST", "PATCH", "DELETE").WithHeaders("Authorization", "Content-Type", "X-User-ID")
            .WithExposedHeaders("Link", "X-Next-Before", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After", "Location",
                "Content-Disposition")
            .SetPreflightMaxAge(TimeSpan.FromMinutes(10));
    }

    private static IPEndPoint EndPointOf(ServeOptions options) => new(options.Host switch
    {
        // One socket for both families, where there are both.
        "*" => Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any,
        "localhost" => IPAddress.Loopback,
        var host => IPAddress.Parse(host.Trim('[', ']')),
    }, options.Port);

    private static string DetailOf(int status) => status switch
    {
        StatusCodes.Status404NotFound => "Resource not found",
        StatusCodes.Status405MethodNotAllowed => "This method is not allowed here.",
        StatusCodes.Status415UnsupportedMediaType => "This Content-Type is not accepted here.",
        StatusCodes.Status413PayloadTooLarge => "The request is too large.",
        _ => $"The request was answered with status {status}.",
    };

    /// <summary>Signals are the command line's affair.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
