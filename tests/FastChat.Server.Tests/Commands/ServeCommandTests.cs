using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FastChat.Server.Auth;
using FastChat.Server.Commands;
using FastChat.Server.Hosting;
using FastChat.Server.Tests.Auth;

namespace FastChat.Server.Tests.Commands;

public sealed class ServeCommandTests : IDisposable
{
    private readonly CommandRunner _cli = new();

    public void Dispose() => _cli.Dispose();

    private async Task<string[]> MistakesAsync(params string[] args)
    {
        var (code, output, error) = await _cli.RunAsync(args);
        Assert.Equal((2, 0), (code, output.Length));
        Assert.Null(_cli.Served);
        return error;
    }

    [Theory]
    [InlineData]
    [InlineData("serve")]
    public async Task Without_anything_said_the_defaults_hold(params string[] args)
    {
        Assert.Equal(0, (await _cli.RunAsync(args)).Code);
        var served = _cli.Served!;
        Assert.Equal(
            ("127.0.0.1", 8000, _cli.DataDirectory, "sqlite", UserIdTrust.LocalOnly, 100),
            (served.Host, served.Port, served.Data.Directory, served.Data.Store, served.UserIdTrust, served.RateLimits.PerMinute));
        Assert.Null(served.CertificateFile);
    }

    [Fact]
    public async Task Flags_win_over_variables_and_these_over_the_file()
    {
        _cli.Write("appsettings.json", """{ "Port": 1, "Host": "::1", "RateLimits": { "PerMinute": 7 }, "Auth": { "Issuer": "file" } }""");
        _cli.Environment["FASTCHAT_PORT"] = "2";
        _cli.Environment["FASTCHAT_AUTH__ISSUER"] = "variable";
        Assert.Equal(0, (await _cli.RunAsync("serve", "--port", "3", "--data", "elsewhere", "--model", "offline", "--store", "SQLite")).Code);
        var served = _cli.Served!;
        Assert.Equal(
            ("::1", 3, Path.Combine(_cli.Directory.FullName, "elsewhere"), "sqlite", "variable", 7, "offline"),
            (served.Host, served.Port, served.Data.Directory, served.Data.Store, served.Auth.Issuer, served.RateLimits.PerMinute,
                served.Configuration["Model"]));
        Assert.Equal(0, (await _cli.RunAsync()).Code);
        Assert.Equal(2, _cli.Served!.Port);
    }

    [Fact]
    public async Task Every_mistake_has_a_line()
    {
        _cli.Environment["FASTCHAT_AUTH__SECRET"] = "short";
        _cli.Environment["FASTCHAT_AUTH__CLOCKSKEW"] = "much";
        _cli.Environment["FASTCHAT_RATELIMITS__PERMINUTE"] = "0";
        _cli.Environment["FASTCHAT_RATELIMITS__PERSECOND"] = "5";
        var mistakes = await MistakesAsync("--port", "65536", "--host", "everywhere", "--store", "paper", "--model", "nope", "--cert", "a.pem");
        Assert.Equal(
            ["Auth:CLOCKSKEW", "Store", "RateLimits:PERSECOND", "Port", "Host", "Cert", "Auth:Secret", "RateLimits:PerMinute", "Model"],
            mistakes.Select(line => line.Replace("ClockSkew", "CLOCKSKEW").Split(' ')[0].TrimEnd(':')));
    }

    [Fact]
    public async Task A_store_that_needs_a_build_switch_says_which()
    {
#if !LITEDB
        Assert.Contains("-p:LiteDB=true", Assert.Single(await MistakesAsync("--store", "litedb")), StringComparison.Ordinal);
#endif
        Assert.Contains("postgres", Assert.Single(await MistakesAsync("--store", "postgres")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Trusting_user_ids_in_public_needs_the_flag()
    {
        _cli.Environment["FASTCHAT_AUTH__TRUSTUSERID"] = "true";
        Assert.Contains("--insecure-trust-user-id", Assert.Single(await MistakesAsync("--host", "0.0.0.0")), StringComparison.Ordinal);
        Assert.Equal(0, (await _cli.RunAsync("--host", "0.0.0.0", "--insecure-trust-user-id")).Code);
        Assert.Equal(UserIdTrust.Always, _cli.Served!.UserIdTrust);
        _cli.Environment.Clear();
        Assert.Equal(0, (await _cli.RunAsync("--host", "*")).Code);
        Assert.Equal(UserIdTrust.Never, _cli.Served!.UserIdTrust);
    }

    [Fact]
    public async Task Files_that_cannot_be_read_are_named()
    {
        _cli.Environment["FASTCHAT_AUTH__KEYFILES__0"] = "missing.pem";
        _cli.Environment["FASTCHAT_AUTH__KEYFILES__1"] = _cli.Write("bad.pem", "no key");
        _cli.Environment["FASTCHAT_AUTH__JWKSFILE"] = _cli.Write("jwks.json", "[]");
        _cli.Environment["FASTCHAT_AUTH__ISSUER"] = _cli.Environment["FASTCHAT_AUTH__AUDIENCE"] = "x";
        _cli.Environment["FASTCHAT_DATA"] = _cli.Write("data-file", "");
        var mistakes = await MistakesAsync();
        Assert.Equal(4, mistakes.Length);
        Assert.All(["missing.pem", "bad.pem", "jwks.json", "data-file"], (Action<string>)(name =>
            Assert.Single(mistakes, line => line.Contains(name, StringComparison.Ordinal))));
    }

    [Fact]
    public async Task Key_files_are_found_from_the_working_directory()
    {
        _cli.Write("key.pem", AuthFixture.Rsa.ExportSubjectPublicKeyInfoPem());
        _cli.Environment["FASTCHAT_AUTH__KEYFILES"] = "key.pem";
        Assert.Equal(0, (await _cli.RunAsync()).Code);
        Assert.Equal([Path.Combine(_cli.Directory.FullName, "key.pem")], _cli.Served!.Auth.KeyFiles);
    }

    [Fact]
    public async Task A_settings_file_that_is_no_JSON_is_named()
    {
        _cli.Write("appsettings.json", "{ \"Port\": ");
        Assert.Contains("appsettings.json", Assert.Single(await MistakesAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_needs_its_key()
    {
        using var rsa = RSA.Create(2048);
        using var certificate = new CertificateRequest("CN=localhost", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(1));
        string cert = _cli.Write("cert.pem", certificate.ExportCertificatePem());
        string key = _cli.Write("key.pem", rsa.ExportPkcs8PrivateKeyPem());
        string other = _cli.Write("other.pem", AuthFixture.Rsa.ExportPkcs8PrivateKeyPem());
        Assert.Equal(0, (await _cli.RunAsync("--cert", "cert.pem", "--key", "key.pem")).Code);
        Assert.Equal((cert, key), (_cli.Served!.CertificateFile, _cli.Served!.KeyFile));
        using var second = new CommandRunner();
        foreach (string[] args in (string[][])
            [["--cert", cert], ["--key", key], ["--cert", cert, "--key", other], ["--cert", key, "--key", cert], ["--cert", cert, "--key", "none.pem"]])
        {
            var (code, _, error) = await second.RunAsync(args);
            Assert.Equal((2, null), (code, second.Served));
            Assert.StartsWith("Cert and Key", Assert.Single(error), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Port_0_prints_the_real_port_in_one_line_and_the_end_is_fine()
    {
        Assert.Equal(0, (await _cli.RunAsync("--port", "0")).Code);
        using var end = new CancellationTokenSource();
        var running = ServerHost.RunAsync(_cli.Served!, _cli.Out, end.Token);
        await _cli.Out.WaitForAsync("\n");
        string line = _cli.Out.ToString().TrimEnd();
        Assert.StartsWith("FastChat accepts connections on http://127.0.0.1:", line, StringComparison.Ordinal);
        using var http = new HttpClient { Timeout = CommandRunner.Bound };
        var live = new Uri(line[line.IndexOf("http", StringComparison.Ordinal)..] + "/health/live");
        Assert.NotEqual(0, live.Port);
        using (var response = await http.GetAsync(live))
            Assert.True(response.IsSuccessStatusCode);
        await end.CancelAsync();
        Assert.Equal(0, await running.WaitAsync(CommandRunner.Bound));
    }

    [Fact]
    public async Task The_server_ends_with_its_input_where_that_is_wanted()
    {
        bool? isLeftToOthers = null;
        _cli.Serve = token =>
        {
            isLeftToOthers = _cli.Interrupts.Handler?.Invoke(); // Ctrl-C
            return Task.Delay(Timeout.Infinite, token).ContinueWith(_ => { }, TaskScheduler.Default);
        };
        _cli.In = new StringReader("what is said\ndoes not matter");
        Assert.Equal(0, (await _cli.RunAsync("serve", "--until-input-ends")).Code);
        Assert.True(isLeftToOthers);
    }

    [Fact]
    public async Task A_server_process_ends_with_the_pipe_that_its_input_is()
    {
        string[] command = [Path.Combine(AppContext.BaseDirectory, "fastchat.dll"), "serve", "--port", "0", "--data", _cli.DataDirectory, "--until-input-ends"];
        using var process = Process.Start(new ProcessStartInfo("dotnet", command) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        try
        {
            Assert.StartsWith(ServeCommand.ReadyLine("http"), await process.StandardOutput.ReadLineAsync().WaitAsync(CommandRunner.Bound), StringComparison.Ordinal);
            process.StandardInput.Close();
            await process.WaitForExitAsync().WaitAsync(CommandRunner.Bound);
            Assert.Equal(0, process.ExitCode);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    [Fact]
    public void The_ready_line_names_the_address() =>
        Assert.Equal("FastChat accepts connections on http://127.0.0.1:8000", ServeCommand.ReadyLine("http://127.0.0.1:8000"));
}
