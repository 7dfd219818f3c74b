#include "protocols/iso8583/json.hpp"

#include "protocols/iso8583/json_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>

namespace causeway::iso8583 {
namespace {

using boost::system::in_place_value;
using kind = json_value::kind;

constexpr std::size_t deepest_nesting = 8;

// Far more than a message has. 64 KiB could hold 32,000, which would keep all other requests waiting for too long.
constexpr std::size_t most_values = 1024;

// The highest names: of the elements of a message, and of parts, whose tags have at most six digits.
constexpr unsigned last_element = 128;
constexpr unsigned last_part = 999'999;

problem wrong(std::string what) { return {.field = {}, .what = std::move(what)}; }

std::optional<unsigned> number_in(std::string_view name)
{
    unsigned number = 0;
    const auto* const end = name.data() + name.size();
    const auto [stopped, error] = std::from_chars(name.data(), end, number);
    const bool has_leading_zeros = name.size() > 1 && name.front() == '0';
    if (error != std::errc() || stopped != end || has_leading_zeros)
        return std::nullopt;
    return number;
}

std::string_view not_a_string(kind is)
{
    switch (is) {
    case kind::number:
        return "must be a string, not a number, which would lose its leading zeros";
    case kind::boolean:
        return "must be a string, not true or false";
    case kind::null:
        return "must be a string, not null: leave it out instead";
    case kind::array:
        return "must be a string, or an object with its parts, not an array";
    default:
        return "must be a string";
    }
}

bool is_ascii(std::string_view text)
{
    return std::ranges::all_of(text, [](char character) { return static_cast<unsigned char>(character) < 0x80; });
}

using number_of_name = result<unsigned> (*)(std::string_view);

// The error does not show the name: it may be anything, such as a card number.
result<unsigned> number_of_element(std::string_view name)
{
    const auto number = number_in(name);
    if (!number || *number == 0 || *number > last_element)
        return wrong(R"(has an invalid name: names are "mti" and "2" to "128", without leading zeros)");
    if (*number == 1)
        return problem{.field = "1", .what = "is the bitmap, which is computed: leave it out"};
    return *number;
}

result<unsigned> number_of_part(std::string_view name)
{
    const auto number = number_in(name);
    if (!number || *number > last_part)
        return wrong("has a part whose name is not a number, or has leading zeros");
    return *number;
}

result<std::vector<element>> elements_in(const json_value& object, number_of_name number_of);

result<element> element_in(const json_value& value, unsigned number)
{
    element element{.number = number};
    if (value.is == kind::object) {
        auto parts = elements_in(value, number_of_part);
        if (!parts)
            return in_element(number, std::move(parts).error());
        element.parts = *std::move(parts);
        return element;
    }
    if (value.is != kind::string)
        return in_element(number, wrong(std::string(not_a_string(value.is))));
    if (!is_ascii(value.text))
        return in_element(number, wrong("must have ASCII characters only"));
    element.text = value.text;
    return element;
}

result<std::vector<element>> elements_in(const json_value& object, number_of_name number_of)
{
    std::vector<element> elements;
    for (const auto& member : object.members) {
        const auto number = number_of(member.name);
        if (!number)
            return number.error();
        auto element = element_in(member, *number);
        if (!element)
            return element.error();
        elements.push_back(*std::move(element));
    }
    std::ranges::sort(elements, {}, &element::number);
    const auto twice = std::ranges::adjacent_find(elements, {}, &element::number);
    if (twice != elements.end())
        return in_element(twice->number, wrong("is repeated"));
    return elements;
}

// Removes it from the object.
result<std::string> take_mti(std::vector<json_value>& members)
{
    const auto found = std::ranges::find(members, "mti", &json_value::name);
    if (found == members.end())
        return problem{.field = "mti", .what = R"(is missing: four digits such as "0200")"};
    if (found->is != kind::string || !is_mti(found->text))
        return problem{.field = "mti", .what = R"(must be a string of four digits such as "0200")"};
    auto mti = std::move(found->text);
    members.erase(found);
    if (std::ranges::find(members, "mti", &json_value::name) != members.end())
        return problem{.field = "mti", .what = "is repeated"};
    return {in_place_value, std::move(mti)};
}

// Characters are those of ISO 8859-1, which Unicode begins with.
void append_string(std::string_view text, std::string& output)
{
    output += '"';
    for (const char character : text) {
        const bool is_printable = character >= ' ' && character <= '~';
        if (!is_printable) {
            fmt::format_to(std::back_inserter(output), "\\u{:04X}", static_cast<unsigned char>(character));
            continue;
        }
        if (character == '"' || character == '\\')
            output += '\\';
        output += character;
    }
    output += '"';
}

void append_element(const element& element, std::string& output);

void append_elements(const std::vector<element>& elements, std::string& output)
{
    for (const auto& element : elements) {
        if (output.back() != '{')
            output += ',';
        append_element(element, output);
    }
}

void append_element(const element& element, std::string& output)
{
    fmt::format_to(std::back_inserter(output), R"("{}":)", element.number);
    if (element.parts.empty())
        return append_string(element.text, output);
    output += '{';
    append_elements(element.parts, output);
    output += '}';
}

} // namespace

result<message> from_json(std::string_view text)
{
    if (text.size() > longest_json)
        return wrong(fmt::format("the JSON is longer than {} bytes", longest_json));
    auto root = parse_json(text, deepest_nesting, most_values);
    if (!root)
        return wrong(fmt::format("this cannot be read as JSON: line {}: {}", root.error().line, root.error().what));
    if (root->is != kind::object)
        return wrong(R"(a message is a JSON object, such as {"mti":"0800","70":"301"})");
    auto mti = take_mti(root->members);
    if (!mti)
        return mti.error();
    auto elements = elements_in(*root, number_of_element);
    if (!elements)
        return elements.error();
    return message{.mti = *std::move(mti), .elements = *std::move(elements)};
}

void append_json(const message& message, std::string& output)
{
    output += R"({"mti":)";
    append_string(message.mti, output);
    append_elements(message.elements, output);
    output += '}';
}

} // namespace causeway::iso8583
