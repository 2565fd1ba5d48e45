using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Xml.Linq;

namespace FastChat.Core.Tests;

/// <summary>What embedders build on is a file that is reviewed like code, and is documented, all of it.</summary>
public sealed class PublicApiTests
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;
    private static readonly Assembly Core = typeof(WebSocketServer).Assembly;

    [Fact]
    public void The_public_API_is_the_one_that_was_agreed_on()
    {
        string now = Describe();
        string agreed = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "PublicApi.txt")).ReplaceLineEndings("\n");
        if (now == agreed) return;
        string received = Path.Combine(AppContext.BaseDirectory, "PublicApi.received.txt");
        File.WriteAllText(received, now);
        string[] before = agreed.Split('\n'), after = now.Split('\n');
        Assert.Fail($"The public API has changed:\n{string.Join('\n', [.. before.Except(after).Select(line => "- " + line), .. after.Except(before).Select(line => "+ " + line)])}\n"
            + $"If that is wanted, copy {received} over tests/FastChat.Core.Tests/PublicApi.txt and say so in CHANGELOG.md.");
    }

    [Fact]
    public void Every_public_member_has_documentation_that_says_something()
    {
        var documented = XDocument.Load(Path.ChangeExtension(Core.Location, ".xml")).Descendants("member").ToDictionary(member => member.Attribute("name")!.Value);
        var missing = new List<string>();
        foreach (var type in Core.GetExportedTypes())
        {
            string typeId = "T:" + Id(type);
            if (!Says(typeId)) missing.Add(typeId);
            foreach (var member in Visible(type).Where(member => NeedsWords(type, member)))
            {
                string id = Id(member);
                // The properties of a positional record are documented as its parameters.
                bool positional = member is PropertyInfo && documented.GetValueOrDefault(typeId)?.Elements("param").Any(p => p.Attribute("name")!.Value == member.Name && p.Value.Length > 0) == true;
                if (!Says(id) && !positional) missing.Add(id);
            }
        }
        Assert.Empty(missing);

        bool Says(string id) => documented.TryGetValue(id, out var words) && (words.Element("inheritdoc") is not null || words.Element("summary")?.Value.Trim().Length > 0);
    }

    /// <summary>Members that have words of their own: not what overrides, and not what the compiler made.</summary>
    private static bool NeedsWords(Type type, MemberInfo member) => member switch
    {
        _ when typeof(Delegate).IsAssignableFrom(type) => false,
        MethodInfo method => method.GetBaseDefinition() == method && !method.IsSpecialName && !method.IsDefined(typeof(CompilerGeneratedAttribute)),
        PropertyInfo property => (property.GetMethod ?? property.SetMethod)!.GetBaseDefinition() == (property.GetMethod ?? property.SetMethod),
        ConstructorInfo constructor => constructor.GetParameters().Length > 0 && !IsRecord(type),
        _ => true,
    };

    private static bool IsRecord(Type type) => type.GetMethod("PrintMembers", Declared) is not null;

    private static string Describe()
    {
        var text = new StringBuilder();
        foreach (var type in Core.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(IsRecord(type) ? "record " : "").Append(Kind(type)).Append(' ').Append(Name(type));
            var above = new[] { type.BaseType }.Where(b => b is not null && b != typeof(object) && b != typeof(ValueType) && b != typeof(Enum) && b != typeof(MulticastDelegate))
                .Concat(type.IsEnum ? [] : type.GetInterfaces().Except(type.BaseType?.GetInterfaces() ?? []).OrderBy(i => i.FullName, StringComparer.Ordinal)).Select(t => Name(t!)).ToArray();
            text.Append(above.Length > 0 ? " : " + string.Join(", ", above) : "").Append('\n');
            foreach (string line in Visible(type).Select(Line).OfType<string>().Order(StringComparer.Ordinal)) text.Append("    ").Append(line).Append('\n');
            text.Append('\n');
        }
        return text.ToString();
    }

    /// <summary>What is public, or protected where one can derive.</summary>
    private static IEnumerable<MemberInfo> Visible(Type type) => type.GetMembers(Declared).Where(member => member switch
    {
        MethodBase method => IsVisible(method),
        PropertyInfo property => property.GetAccessors(true).Any(IsVisible),
        FieldInfo field => (field.IsPublic || field.IsFamily) && !field.IsSpecialName,
        EventInfo one => IsVisible(one.AddMethod!),
        _ => false,
    });

    private static bool IsVisible(MethodBase method) => method.IsPublic || ((method.IsFamily || method.IsFamilyOrAssembly) && !method.DeclaringType!.IsSealed);

    private static string Kind(Type type) =>
        type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct" : typeof(Delegate).IsAssignableFrom(type) ? "delegate"
        : type is { IsAbstract: true, IsSealed: true } ? "static class" : type.IsAbstract ? "abstract class" : type.IsSealed ? "sealed class" : "class";

    private static string? Line(MemberInfo member) => member switch
    {
        FieldInfo { DeclaringType.IsEnum: true } field => $"{field.Name} = {Convert.ToInt64(field.GetRawConstantValue(), System.Globalization.CultureInfo.InvariantCulture)}",
        FieldInfo field => $"{(field.IsLiteral ? "const " : field.IsStatic ? "static " : "")}{(field.IsInitOnly ? "readonly " : "")}{Name(field.FieldType)} {field.Name}",
        PropertyInfo property => $"{Modifiers(property.GetAccessors(true).First(IsVisible))}{Name(property.PropertyType)} {property.Name}{Indexes(property)} {{ {Accessors(property)} }}",
        ConstructorInfo constructor => constructor.IsStatic ? null : $"{Modifiers(constructor)}{Plain(constructor.DeclaringType!.Name)}({Parameters(constructor)})",
        MethodInfo { IsSpecialName: true } method when !method.Name.StartsWith("op_", StringComparison.Ordinal) => null,
        MethodInfo when member.IsDefined(typeof(CompilerGeneratedAttribute)) => null, // a record's: they follow from its properties
        MethodInfo method => $"{Modifiers(method)}{Name(method.ReturnType)} {method.Name}{Generics(method.GetGenericArguments())}({Parameters(method)})",
        EventInfo one => $"event {Name(one.EventHandlerType!)} {one.Name}",
        _ => null,
    };

    private static string Indexes(PropertyInfo property) => property.GetIndexParameters() is { Length: > 0 } indexes ? $"[{string.Join(", ", indexes.Select(i => Name(i.ParameterType)))}]" : "";

    private static string Accessors(PropertyInfo property) => string.Join(' ', new[]
    {
        property.GetMethod is { } get && IsVisible(get) ? "get;" : null,
        property.SetMethod is { } set && IsVisible(set) ? set.ReturnParameter.GetRequiredCustomModifiers().Length > 0 ? "init;" : "set;" : null,
    }.OfType<string>());

    private static string Modifiers(MethodBase method)
    {
        string access = method.IsPublic ? "" : "protected ";
        if (method.IsStatic) return access + "static ";
        if (method is ConstructorInfo || method.DeclaringType!.IsInterface || !method.IsVirtual) return access;
        if (method is MethodInfo info && info.GetBaseDefinition() != info) return access + "override ";
        return access + (method.IsAbstract ? "abstract " : method.IsFinal ? "" : "virtual ");
    }

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(p =>
        $"{(p.IsOut ? "out " : p.ParameterType.IsByRef ? p.IsIn ? "in " : "ref " : "")}{Name(p.ParameterType)} {p.Name}{(p.HasDefaultValue ? $" = {p.RawDefaultValue ?? "default"}" : "")}"));

    private static string Generics(Type[] arguments) => arguments.Length == 0 ? "" : $"<{string.Join(", ", arguments.Select(Name))}>";

    private static string Plain(string name) => name.Split('`')[0];

    /// <summary>A type's name with its namespace, for ours and the system's alike.</summary>
    private static string Name(Type type)
    {
        if (type.IsByRef) return Name(type.GetElementType()!);
        if (type.IsArray) return Name(type.GetElementType()!) + "[]";
        if (type.IsGenericParameter) return type.Name;
        string outer = type.DeclaringType is { } declaring ? Name(declaring) + "." : type.Namespace == "System" ? "" : type.Namespace + ".";
        return outer + Plain(type.Name) + Generics(type.GetGenericArguments());
    }

    /// <summary>The identifier that the compiler gives a member in the documentation file.</summary>
    private static string Id(MemberInfo member)
    {
        string owner = Id(member.DeclaringType!);
        return member switch
        {
            MethodBase method => $"M:{owner}.{method.Name.Replace('.', '#')}{(method.IsGenericMethod ? "``" + method.GetGenericArguments().Length : "")}{Ids(method.GetParameters())}",
            PropertyInfo property => $"P:{owner}.{property.Name}{Ids(property.GetIndexParameters())}",
            EventInfo one => $"E:{owner}.{one.Name}",
            _ => $"F:{owner}.{member.Name}",
        };
    }

    private static string Ids(ParameterInfo[] parameters) => parameters.Length == 0 ? "" : $"({string.Join(',', parameters.Select(p => Id(p.ParameterType)))})";

    private static string Id(Type type)
    {
        if (type.IsByRef) return Id(type.GetElementType()!) + "@";
        if (type.IsArray) return Id(type.GetElementType()!) + "[]";
        if (type.IsGenericParameter) return (type.DeclaringMethod is null ? "`" : "``") + type.GenericParameterPosition;
        string name = (type.IsNested ? Id(type.DeclaringType!) : type.Namespace) + "." + type.Name;
        return type.IsConstructedGenericType ? $"{name.Split('`')[0]}{{{string.Join(',', type.GetGenericArguments().Select(Id))}}}" : name;
    }
}
