using System.Diagnostics;
using FastChat.Server.Auth;
using FastChat.Server.Auth.Keys;
using FastChat.Server.Auth.Tokens;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastChat.Server.Tests.Commands;

public sealed class UserAndTokenCommandTests : IDisposable
{
    private static readonly TimeSpan Skew = new AuthOptions().ClockSkew;

    private readonly CommandRunner _cli = new();

    public void Dispose() => _cli.Dispose();

    private async Task<AuthResult> ValidateAsync(string token, AuthOptions? options = null)
    {
        options ??= new AuthOptions();
        var file = new SigningKeyFile(_cli.DataDirectory, options.SigningKeyLifetime, TimeProvider.System);
        using var keys = KeyRing.Open(options, file, TimeProvider.System, NullLogger.Instance);
        return await new TokenValidator(options, keys, TimeProvider.System, NullLogger.Instance).ValidateAsync(token, CancellationToken.None);
    }

    [Fact]
    public async Task User_add_prints_the_id_alone_and_list_shows_everybody()
    {
        var added = await _cli.RunAsync("user", "add", "Ada Lovelace");
        Assert.Equal((0, 0), (added.Code, added.Error.Length));
        string id = Assert.Single(added.Out);
        var second = await _cli.RunAsync("user", "add", "bob");
        var list = await _cli.RunAsync("user", "list");
        Assert.Equal(0, list.Code);
        Assert.Equal([second.Out[0], id], list.Out.Select(line => line.Split('\t')[0]));
        Assert.Equal(["bob", "Ada Lovelace"], list.Out.Select(line => line.Split('\t')[2]));
    }

    [Fact]
    public async Task A_name_that_is_taken_is_a_failure()
    {
        await _cli.RunAsync("user", "add", "ada");
        var again = await _cli.RunAsync("user", "add", "ada");
        Assert.Equal((1, 0), (again.Code, again.Out.Length));
        Assert.Equal("There is a user named ada already.", Assert.Single(again.Error));
    }

    [Fact]
    public async Task Token_makes_the_user_where_needed_and_prints_the_token_alone()
    {
        var (code, output, error) = await _cli.RunAsync("token", "@ada");
        Assert.Equal((0, 0), (code, error.Length));
        var user = (await ValidateAsync(Assert.Single(output))).User!;
        Assert.Equal(("@ada", false), (user.Name, user.IsAdmin));
        Assert.InRange(user.ExpiresAt!.Value - TimeProvider.System.GetUtcNow(), TimeSpan.FromHours(23.9), TimeSpan.FromDays(1) + Skew);
        Assert.StartsWith(user.Id + "\t", Assert.Single((await _cli.RunAsync("user", "list")).Out), StringComparison.Ordinal);

        var again = await _cli.RunAsync("token", "@ada", "--expires", "30m", "--admin");
        var admin = (await ValidateAsync(again.Out[0])).User!;
        Assert.Equal((user.Id, true), (admin.Id, admin.IsAdmin));
        Assert.InRange(admin.ExpiresAt!.Value - TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(29), TimeSpan.FromMinutes(30) + Skew);
    }

    [Theory]
    [InlineData("soon")]
    [InlineData("0s")]
    [InlineData("367d")]
    [InlineData("-1d")]
    public async Task A_senseless_lifetime_is_refused_before_anything_is_made(string expires)
    {
        var (code, output, error) = await _cli.RunAsync("token", "ada", "--expires", expires);
        Assert.Equal((2, 0), (code, output.Length));
        Assert.Contains("--expires", Assert.Single(error), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_cli.DataDirectory));
    }

    [Fact]
    public async Task Data_may_be_named_by_flag_variable_or_file_and_the_flag_wins()
    {
        _cli.Write("appsettings.json", """{ "Data": "from-file" }""");
        await _cli.RunAsync("token", "ada");
        _cli.Environment["FASTCHAT_DATA"] = "from-variable";
        await _cli.RunAsync("token", "ada");
        await _cli.RunAsync("token", "ada", "--data", "from-flag");
        Assert.Equal(
            ["from-file", "from-flag", "from-variable"],
            _cli.Directory.GetDirectories().Select(directory => directory.Name).Order(StringComparer.Ordinal));
        Assert.All(_cli.Directory.GetDirectories(), directory => Assert.True(File.Exists(Path.Combine(directory.FullName, "signing-keys.json"))));
    }

    [Fact]
    public async Task Commands_of_the_first_run_may_come_all_at_once()
    {
        var tokens = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => RunProcessAsync("token", "ada", "--data", _cli.DataDirectory)));
        Assert.All(tokens, token => Assert.Equal((0, ""), (token.Code, token.Error)));
        var users = new HashSet<string>();
        foreach (var token in tokens)
            users.Add((await ValidateAsync(token.Out.Trim())).User!.Id);
        Assert.Single(users);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_cli.DataDirectory, "signing-keys.json")));
    }

    private static async Task<(int Code, string Out, string Error)> RunProcessAsync(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "fastchat.dll"), .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync().WaitAsync(CommandRunner.Bound);
            return (process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }
}
