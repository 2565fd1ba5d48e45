using System.Text.Json;

namespace FastChat.Compare.Load;

/// <summary>
/// The load process: one order a line on its input, one result a line on its output, until the input ends. It lives through a whole
/// comparison, so that its own code is compiled and warm when figures are taken.
/// </summary>
internal static class LoadAgent
{
    public static int Run(TextReader input, TextWriter output)
    {
        byte[] buffer = GC.AllocateUninitializedArray<byte>(256 * 1024, pinned: true);
        while (input.ReadLine() is { } line)
        {
            var order = JsonSerializer.Deserialize(line, LoadJson.Default.LoadOrder)!;
            string result = JsonSerializer.Serialize(LoadRun.Execute(order, buffer), LoadJson.Default.LoadResult);
            try
            {
                output.WriteLine(result);
                output.Flush();
            }
            catch (IOException)
            {
                break; // Whoever gave the order is gone.
            }
        }
        return 0;
    }
}
