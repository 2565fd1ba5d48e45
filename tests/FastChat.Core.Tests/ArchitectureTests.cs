using System.Net.Sockets;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace FastChat.Core.Tests;

/// <summary>The arrows of docs/architecture.md, held against everything the compiled types name: signatures, fields, locals and code.</summary>
public sealed class ArchitectureTests
{
    private static readonly Assembly Core = typeof(WebSocketServer).Assembly;

    /// <summary>What each layer may know beside itself. Diagnostics names things of all layers, and has no behaviour of its own.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Buffers"] = [],
        ["Protocol"] = ["Buffers"],
        ["Handshake"] = ["Buffers"],
        ["Transport"] = ["Buffers", "Diagnostics"],
        ["Connections"] = ["Protocol", "Handshake", "Transport", "Buffers", "Diagnostics"],
        [""] = ["Connections", "Protocol", "Handshake", "Transport", "Buffers", "Diagnostics"],
        ["Dispatch"] = [],
        ["Storage"] = [],
        ["Chat"] = ["Dispatch", "Storage", "Buffers", "Diagnostics"],
        ["Diagnostics"] = ["Connections", "Protocol", "Handshake", "Transport", "Chat", "Storage"],
    };

    private static readonly string[] SansIo = ["Protocol", "Handshake", "Dispatch"];

    [Fact]
    public void Arrows_point_down_only()
    {
        var wrong = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var type in Core.GetTypes().Where(IsOurs))
        {
            Assert.True(Arrows.TryGetValue(LayerOf(type), out string[]? allowed), $"{type.FullName} is in no layer that this test knows.");
            foreach (var used in Known(type).Where(IsOurs))
            {
                string layer = LayerOf(used);
                if (layer != LayerOf(type) && !allowed.Contains(layer)) wrong.Add($"{type.FullName} knows {used.FullName}");
            }
        }
        Assert.Empty(wrong);
    }

    [Fact]
    public void Protocol_handshake_and_dispatch_know_no_socket_task_stream_pipe_clock_or_logger()
    {
        var wrong = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var type in Core.GetTypes().Where(type => IsOurs(type) && SansIo.Contains(LayerOf(type))))
            foreach (var used in Known(type).Where(IsIo)) wrong.Add($"{type.FullName} knows {used.FullName}");
        Assert.Empty(wrong);
    }

    [Fact]
    public void The_core_has_no_ASP_NET_in_it()
    {
        Assert.DoesNotContain(Core.GetReferencedAssemblies(), name => name.Name!.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal));
    }

    /// <summary>That the tests above can fail: what this test itself does is seen where it is done.</summary>
    [Fact]
    public void What_a_type_knows_is_found_in_signatures_and_in_code()
    {
        Assert.Superset(new HashSet<Type> { typeof(WebSocketServer), typeof(Assembly), typeof(SortedSet<>), typeof(Socket), typeof(OpCode) }, Known(typeof(ArchitectureTests)));
        Assert.Contains(typeof(Task), Known(typeof(WebSocketServer)));
        Assert.Contains(typeof(TransportKind), Known(typeof(WebSocketServerOptions)));
        Assert.True(IsIo(typeof(ValueTask<int>)) && IsIo(typeof(NetworkStream)) && IsIo(typeof(ILogger)) && !IsIo(typeof(string)) && !IsIo(typeof(CancellationToken)));
    }

    private static bool IsOurs(Type type) => type.Assembly == Core && (type.Namespace == "FastChat" || type.Namespace?.StartsWith("FastChat.", StringComparison.Ordinal) == true);

    private static string LayerOf(Type type) => type.Namespace!.Split('.').ElementAtOrDefault(1) ?? "";

    private static bool IsIo(Type type) =>
        typeof(Stream).IsAssignableFrom(type) || typeof(TimeProvider).IsAssignableFrom(type)
        || type.Namespace is "System.Net.Sockets" or "System.Threading.Tasks" or "System.Threading.Tasks.Sources" or "System.IO.Pipelines" or "Microsoft.Extensions.Logging"
        || type == typeof(Timer) || type == typeof(Thread) || type == typeof(ThreadPool);

    /// <summary>Every type that a type's members and their code name; generic types as their definitions.</summary>
    private static HashSet<Type> Known(Type type)
    {
        const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;
        var known = new HashSet<Type>();
        Add(type.BaseType);
        foreach (var implemented in type.GetInterfaces()) Add(implemented);
        foreach (var field in type.GetFields(All)) Add(field.FieldType);
        foreach (var method in type.GetMembers(All).OfType<MethodBase>())
        {
            if (method is MethodInfo { ReturnType: var returned }) Add(returned);
            foreach (var parameter in method.GetParameters()) Add(parameter.ParameterType);
            foreach (var member in Named(method))
            {
                Add(member as Type ?? member.DeclaringType);
                if (member is MethodInfo called) Add(called.ReturnType);
                if (member is FieldInfo field) Add(field.FieldType);
            }
            foreach (var local in method.GetMethodBody()?.LocalVariables ?? []) Add(local.LocalType);
        }
        // Lambdas, iterators and async methods are compiled into types of their own inside.
        foreach (var nested in type.GetNestedTypes(All).Where(nested => nested.IsDefined(typeof(CompilerGeneratedAttribute)))) known.UnionWith(Known(nested));
        return known;

        void Add(Type? one)
        {
            while (one is { HasElementType: true }) one = one.GetElementType();
            if (one is null || one.IsGenericParameter) return;
            if (one.IsConstructedGenericType)
            {
                foreach (var argument in one.GetGenericArguments()) Add(argument);
                one = one.GetGenericTypeDefinition();
            }
            known.Add(one);
        }
    }

    private static readonly Dictionary<short, OpCode> Codes =
        typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    /// <summary>The members that a method's instructions name (ECMA-335 partition III).</summary>
    private static IEnumerable<MemberInfo> Named(MethodBase method)
    {
        byte[] il = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        var ofType = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null;
        var ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (int at = 0; at < il.Length;)
        {
            short value = il[at] == 0xFE ? (short)(0xFE00 | il[at + 1]) : il[at];
            var code = Codes[value];
            at += code.Size;
            if (code.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
                yield return method.Module.ResolveMember(BitConverter.ToInt32(il, at), ofType, ofMethod)!;
            at += code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(il, at)),
                _ => 4,
            };
        }
    }
}
