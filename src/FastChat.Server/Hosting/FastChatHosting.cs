using FastChat.Chat;
using FastChat.Server.Auth;
using FastChat.Server.Auth.Http;
using FastChat.Server.Auth.RateLimits;
using FastChat.Server.Configuration;
using FastChat.Server.Endpoints;
using FastChat.Server.Models;
using FastChat.Storage;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace FastChat.Server.Hosting;

/// <summary>Puts the chat server into an ASP.NET Core application.</summary>
public static class FastChatHosting
{
    /// <summary>
    /// Adds the chat: its engine, store, models, authentication and sockets. Settings come from the section <c>FastChat</c> of the
    /// application's configuration, and then from <paramref name="configure"/>. An <see cref="IChatStore"/>, <see cref="IModelCatalog"/> or
    /// <see cref="IUserAuthenticator"/> that the application has registered before is used instead of ours.
    /// </summary>
    /// <example>
    /// <code>
    /// var builder = WebApplication.CreateBuilder(args);
    /// builder.AddFastChat();
    /// var app = builder.Build();
    /// app.MapFastChat();
    /// app.Run();
    /// </code>
    /// </example>
    /// <exception cref="OptionsValidationException">Settings are mistaken; one sentence for each.</exception>
    public static IHostApplicationBuilder AddFastChat(this IHostApplicationBuilder builder, Action<FastChatOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var configuration = builder.Configuration.GetSection("FastChat");
        var settings = new SettingsReader(configuration);
        var options = FastChatOptions.Read(settings);
        options.Auth = AuthOptions.Read(settings);
        options.RateLimits = RateLimitOptions.Read(settings);
        var data = DataOptions.Read(settings, builder.Environment.ContentRootPath);
        (options.DataDirectory, options.Store) = (data.Directory, data.Store);
        configure?.Invoke(options);
        options.DataDirectory = Path.GetFullPath(options.DataDirectory, builder.Environment.ContentRootPath);
        // Where the application listens is not known here: only its own word makes a user id enough.
        options.UserIdTrust = options.Auth.TrustUserId is true ? UserIdTrust.Always : UserIdTrust.Never;
        options.GivesDevTokens = options.DevTokens is true;
        settings.Add([.. options.Validate(), .. options.Auth.Validate(), .. options.RateLimits.Validate()]);
        if (settings.Mistakes.Count > 0)
            throw new OptionsValidationException("FastChat", typeof(FastChatOptions), settings.Mistakes);
        builder.Services.AddFastChatModels(configuration);
        builder.Services.AddFastChatServices(options);
        return builder;
    }

    /// <summary>
    /// Maps every route and socket of the chat; on a group, below its prefix. Each route asks for a user by itself. Where the application
    /// builds its pipeline by hand, <c>UseAuthentication</c> and <c>UseAuthorization</c> come before.
    /// </summary>
    public static IEndpointRouteBuilder MapFastChat(this IEndpointRouteBuilder routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        var options = routes.ServiceProvider.GetService<FastChatOptions>()
            ?? throw new InvalidOperationException("Call builder.AddFastChat() before app.MapFastChat().");
        routes.MapSockets();
        routes.MapChatApi(options);
        if (options.Page)
            routes.MapPage();
        return routes;
    }

    /// <summary>Everything but the models, from checked options.</summary>
    internal static IServiceCollection AddFastChatServices(this IServiceCollection services, FastChatOptions options)
    {
        services.AddSingleton(options);
        services.AddFastChatAuth(options.Auth, options.RateLimits, options.UserIdTrust, options.DataDirectory);
        services.AddSingleton<ServerMetrics>();
        services.TryAddSingleton(OpenStore);
        services.AddSingleton<ChatUsers>();
        services.AddSingleton(new AllowedOrigins(options.AllowedOrigins));
        services.AddSingleton(s => new ChatEngine(
            s.GetRequiredService<IChatStore>(), s.GetRequiredService<IModelCatalog>(), options.Chat, s.GetRequiredService<TimeProvider>(),
            s.GetRequiredService<ILogger<ChatEngine>>()));
        services.AddSingleton<ChatSocketHandler>();
        services.AddSingleton(s => new ChatSocketServer(
            options, s.GetRequiredService<ChatSocketHandler>(), s.GetService<SharedPort>(), s.GetRequiredService<TimeProvider>(),
            s.GetRequiredService<ILoggerFactory>()));
        services.AddHostedService<ServerLifetime>();
        services.Configure<HostOptions>(host =>
        {
            var needed = ServerLifetime.Longest(options) + TimeSpan.FromSeconds(5);
            if (host.ShutdownTimeout < needed)
                host.ShutdownTimeout = needed;
        });
        return services;
    }

    // Waits for the disk once, at start: a container has no asynchronous way to make a singleton.
    private static IChatStore OpenStore(IServiceProvider services)
    {
        var options = services.GetRequiredService<FastChatOptions>();
        return Stores.OpenAsync(
            new DataOptions(options.DataDirectory, options.Store), services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILoggerFactory>().CreateLogger("FastChat.Storage"), CancellationToken.None,
            services.GetRequiredService<ServerMetrics>().Commit).GetAwaiter().GetResult();
    }
}
