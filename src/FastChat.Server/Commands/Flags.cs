using System.CommandLine;
using FastChat.Server.Configuration;
using Microsoft.Extensions.Configuration;

namespace FastChat.Server.Commands;

/// <summary>Flags that are settings: what they give is read and checked with the rest of the configuration, and wins over it.</summary>
internal sealed class Flags
{
    private readonly List<(Option<string?> Option, string Key)> _settings = [];

    public Flags()
    {
        Port = Setting("--port", "Port", "TCP port, 0 for any free one (8000)");
        Host = Setting("--host", "Host", "Address to listen on: an IP address, localhost, or * for all (127.0.0.1)");
        Data = Setting("--data", "Data", "Directory of the store and the signing keys (data)");
        Store = Setting("--store", "Store", "Where conversations are kept (sqlite)");
        Model = Setting("--model", "Model", "Model that answers where a chatbot names none (offline)");
        Certificate = Setting("--cert", "Cert", "PEM file with the TLS certificate chain");
        Key = Setting("--key", "Key", "PEM file with the certificate's private key");
    }

    public Option<string?> Port { get; }

    public Option<string?> Host { get; }

    public Option<string?> Data { get; }

    public Option<string?> Store { get; }

    public Option<string?> Model { get; }

    public Option<string?> Certificate { get; }

    public Option<string?> Key { get; }

    public Option<bool> InsecureTrustUserId { get; } = new("--insecure-trust-user-id")
    {
        Description = "Let X-User-ID and user_id identify users on a public address: anybody can then be any user",
    };

    public Option<bool> UntilInputEnds { get; } = new("--until-input-ends")
    {
        Description = "End, as on SIGTERM, when standard input does, and leave Ctrl-C to the program that holds its other end",
    };

    /// <summary>The settings of a command: its flags over everything else.</summary>
    /// <exception cref="CommandException">A settings file cannot be read.</exception>
    public IConfigurationRoot Configure(ParseResult parsed, CommandContext context)
    {
        var given = _settings
            .Where(flag => parsed.GetResult(flag.Option) is { Implicit: false })
            .Select(flag => KeyValuePair.Create(flag.Key, parsed.GetValue(flag.Option)));
        try
        {
            return ServerConfiguration.Build(context.WorkingDirectory, context.Environment, given.ToList());
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new CommandException(e.InnerException is FormatException inner ? $"{e.Message} {inner.Message}" : e.Message, ExitCode.Usage);
        }
    }

    private Option<string?> Setting(string name, string key, string description)
    {
        var option = new Option<string?>(name) { Description = description, Arity = ArgumentArity.ExactlyOne };
        option.Validators.Add(result =>
        {
            if (result.IdentifierTokenCount > 1)
                result.AddError($"{name} is given twice.");
        });
        _settings.Add((option, key));
        return option;
    }
}

/// <summary>Mistakes in the configuration, one line each.</summary>
internal static class Mistakes
{
    /// <summary>Ends the command where there are any.</summary>
    public static void ThrowIfAny(this SettingsReader settings)
    {
        if (settings.Mistakes.Count > 0)
            throw new CommandException(string.Join(System.Environment.NewLine, settings.Mistakes), ExitCode.Usage);
    }
}
