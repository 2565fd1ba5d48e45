using FastChat.Chat;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace FastChat.Server.Models;

/// <summary>Registers the models.</summary>
internal static class ModelServices
{
    /// <summary>
    /// Adds <see cref="IModelCatalog"/> from <paramref name="configuration"/>'s section <c>Models</c> and key <c>Model</c>; one that the
    /// application registered itself stays. Mistakes come out of the start as an <see cref="OptionsValidationException"/>.
    /// </summary>
    internal static IServiceCollection AddFastChatModels(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton<IValidateOptions<ModelsOptions>, ModelsOptionsValidator>();
        services.AddOptions<ModelsOptions>().Configure(o => o.Read(configuration, Environment.GetEnvironmentVariable)).ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IModelCatalog>(provider => new ModelCatalog(
            provider.GetRequiredService<IOptions<ModelsOptions>>().Value,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>()));
        return services;
    }
}
