using System.Net;
using System.Net.Sockets;
using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace FastChat.Server.Tests.Documentation;

/// <summary>What the pages show is compiled as it stands there, and the first of it is run.</summary>
public sealed class SampleTests
{
    private static readonly TimeSpan Patience = Hosting.TestServer.Patience;

    // What <ImplicitUsings> gives to a program of Microsoft.NET.Sdk.Web.
    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        global using Microsoft.AspNetCore.Builder;
        global using Microsoft.Extensions.DependencyInjection;
        global using Microsoft.Extensions.Hosting;
        """;

    public static TheoryData<string, int> Samples => [.. Pages.All.SelectMany(page => Pages.Blocks(page, "csharp")).Select(block => (block.Page, block.Line))];

    [Theory]
    [MemberData(nameof(Samples))]
    public void Every_sample_compiles(string page, int line) => Compile(Pages.Blocks(page, "csharp").Single(block => block.Line == line).Text);

    [Fact]
    public async Task The_echo_server_of_the_README_is_five_lines_and_echoes()
    {
        string sample = Pages.Blocks("README.md", "csharp").First().Text;
        Assert.True(sample.TrimEnd().Split('\n').Length <= 5, sample);
        // Its loops are background threads of this process: it runs until the tests end, as the sample says.
        int port = Start(sample, attempts: 5);
        await using var client = new WebSocketClient();
        await using var connection = await client.ConnectAsync(new Uri($"ws://127.0.0.1:{port}/echo")).WaitAsync(Patience);
        await connection.SendTextAsync("five lines").AsTask().WaitAsync(Patience);
        var echo = await connection.ReadMessageAsync().AsTask().WaitAsync(Patience);
        Assert.Equal("five lines", echo!.Value.GetText());
    }

    [Fact]
    public void Every_link_between_the_pages_leads_somewhere()
    {
        var broken =
            from page in Pages.All.Append("CHANGELOG.md")
            from System.Text.RegularExpressions.Match link in System.Text.RegularExpressions.Regex.Matches(Pages.Read(page), @"\]\((?<to>[^)#]+)(#[^)]*)?\)")
            let to = link.Groups["to"].Value
            where !to.Contains("://", StringComparison.Ordinal)
            where !Pages.Exists(Path.Combine(Path.GetDirectoryName(page)!, to))
            select $"{page}: {to}";
        Assert.Empty(broken);
    }

    /// <summary>Runs the program up to where it waits, which is when its server listens.</summary>
    private static int Start(string sample, int attempts)
    {
        while (true)
        {
            int port = FreePort();
            var program = Assembly.Load(Compile(sample.Replace("9001", $"{port}", StringComparison.Ordinal)));
            var main = program.EntryPoint!.DeclaringType!.GetMethod("<Main>$", BindingFlags.Static | BindingFlags.NonPublic)!;
            var running = (Task)main.Invoke(null, [Array.Empty<string>()])!;
            if (!running.IsCompleted)
                return port;
            // Somebody else took the port in between.
            Assert.True(running.Exception?.InnerException is SocketException && --attempts > 0, $"The program ended: {running.Exception}");
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static byte[] Compile(string sample)
    {
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path));
        var compilation = CSharpCompilation.Create(
            $"Sample{Guid.NewGuid():N}", [CSharpSyntaxTree.ParseText(ImplicitUsings), CSharpSyntaxTree.ParseText(sample)], references,
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));
        using var image = new MemoryStream();
        var result = compilation.Emit(image);
        Assert.True(result.Success, string.Join('\n', result.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error)));
        return image.ToArray();
    }
}
