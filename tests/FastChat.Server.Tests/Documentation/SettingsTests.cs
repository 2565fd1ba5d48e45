using System.Text;
using System.Text.RegularExpressions;
using FastChat.Server.Auth;
using FastChat.Server.Auth.RateLimits;
using FastChat.Server.Configuration;
using FastChat.Server.Models;
using Microsoft.Extensions.Configuration;

namespace FastChat.Server.Tests.Documentation;

/// <summary>The README's settings are those of the server.</summary>
public sealed partial class SettingsTests
{
    private static readonly string[] Sections = ["Auth", "RateLimits", "Limits", "Sockets", "Chat", "Telemetry"];

    private static readonly IReadOnlyList<string> Documented =
        [.. Setting().Matches(Pages.Read("README.md")).Select(m => m.Groups["name"].Value).Where(name => Sections.Contains(name.Split(':')[0])).Distinct()];

    [Fact]
    public void Every_setting_of_the_README_is_one()
    {
        Assert.True(Documented.Count > 40, $"The table has only {Documented.Count} settings.");
        // Empty is as if it were not there, but a name that nobody reads is a mistake all the same.
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(Documented.Select(name => KeyValuePair.Create(name, (string?)""))).Build();
        var settings = new SettingsReader(configuration);
        ServeOptions.Read(configuration, settings, Path.GetTempPath(), _ => null, insecureTrustUserId: false);
        Assert.Empty(settings.Mistakes);
    }

    [Fact]
    public void Every_setting_of_auth_and_rate_limits_is_in_the_README()
    {
        var settings = typeof(AuthOptions).GetProperties().Select(p => $"Auth:{p.Name}")
            .Concat(typeof(RateLimitOptions).GetProperties().Select(p => $"RateLimits:{p.Name}"));
        Assert.Empty(settings.Except(Documented));
    }

    [Fact]
    public void The_models_of_the_README_are_read_without_a_mistake()
    {
        string json = Pages.Blocks("README.md", "json").Single().Text;
        var configuration = new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build();
        var models = new ModelsOptions();
        models.Read(configuration, name => name is "OPENAI_API_KEY" or "GEMINI_API_KEY" ? "a-key" : null);
        Assert.Empty(models.Mistakes);
        Assert.Equal(4, models.Models.Count);
        Assert.Equal("llama", models.DefaultModel);
    }

    [GeneratedRegex(@"`(?<name>[A-Z]\w+:[A-Z]\w+)`")]
    private static partial Regex Setting();
}
