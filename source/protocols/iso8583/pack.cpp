#include "protocols/iso8583/dialect.hpp"
#include "protocols/iso8583/specification.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace causeway::iso8583 {
namespace {

using elements = std::vector<element>;

problem wrong(std::string what) { return {.field = {}, .what = std::move(what)}; }

bool consists_of(std::string_view text, std::string_view characters)
{
    return text.find_first_not_of(characters) == std::string_view::npos;
}

bool is_printable(std::string_view text)
{
    return std::ranges::all_of(text, [](char character) { return character >= ' ' && character <= '~'; });
}

std::optional<problem> wrong_characters(alphabet allowed, std::string_view text)
{
    switch (allowed) {
    case alphabet::digits:
        if (!consists_of(text, "0123456789"))
            return wrong("must have digits only");
        break;
    case alphabet::printable:
        if (!is_printable(text))
            return wrong("must have printable ASCII characters only");
        break;
    case alphabet::track:
        if (!consists_of(text, "0123456789="))
            return wrong("must have digits only, and = between them");
        break;
    case alphabet::hexadecimal:
        if (!consists_of(text, "0123456789abcdefABCDEF") || text.size() % 2 != 0)
            return wrong("must have hexadecimal digits only, two for each byte");
        break;
    }
    return std::nullopt;
}

// What a length counts, in words.
std::string in_units(const field_specification& field, std::size_t length)
{
    const bool of_bytes = field.has_parts() || is_of_bytes(field.written);
    const auto* const unit = of_bytes ? "byte" : field.may_have == alphabet::digits ? "digit" : "character";
    return fmt::format("{} {}{}", length, unit, length == 1 ? "" : "s");
}

std::optional<problem> wrong_length(const field_specification& field, std::size_t length)
{
    const bool is_fixed = field.prefix.written == length_prefix::form::fixed;
    const bool may_be_shorter = !is_fixed || field.padding;
    if (length > field.length && may_be_shorter)
        return wrong(fmt::format("must have at most {}, but has {}", in_units(field, field.length), length));
    if (length != field.length && !may_be_shorter)
        return wrong(fmt::format("must have {}, but has {}", in_units(field, field.length), length));
    if (length == 0 && field.prefix.written == length_prefix::form::rest)
        return wrong("must not be empty: leave it out instead");
    return std::nullopt;
}

result<void> append_text(const field_specification& field, std::string text, std::string& bytes)
{
    if (auto problem = wrong_characters(field.may_have, text))
        return *std::move(problem);
    const auto length = is_of_bytes(field.written) ? text.size() / 2 : text.size();
    if (auto problem = wrong_length(field, length))
        return *std::move(problem);
    if (field.padding && length < field.length)
        text.insert(field.padding->on_the_left ? 0 : length, field.length - length, field.padding->character);
    append_length(field.prefix, length, bytes);
    append_encoded(field.written, text, bytes);
    return {};
}

// Checks that all parts are known, unique, and in the order of their numbers.
std::optional<problem> wrong_parts(const field_specification& whole, const elements& parts)
{
    for (auto part = parts.begin(); part != parts.end(); ++part) {
        if (whole.part(part->number) == nullptr)
            return in_element(part->number, wrong("is not known to this dialect"));
        if (part != parts.begin() && std::prev(part)->number >= part->number)
            return in_element(part->number, wrong("is repeated, or not in the order of the numbers"));
    }
    const bool are_in_a_row = !whole.bitmap && !whole.tag;
    for (std::size_t at = 0; are_in_a_row && at != parts.size(); ++at)
        if (const auto expected = whole.parts[at].number; expected != parts[at].number)
            return in_element(expected, wrong("is missing, although a later part is present"));
    return std::nullopt;
}

void append_bitmap(const bitmap_form& bitmap, const elements& parts, std::string& bytes)
{
    constexpr unsigned bits_in_a_byte = 8;
    const auto bits_in_one = bits_in_a_byte * bitmap.size;
    const bool has_two = bitmap.grows && !parts.empty() && parts.back().number > bits_in_one;
    std::string bits(has_two ? 2 * bitmap.size : bitmap.size, '\0');
    const auto set = [&](unsigned number) {
        auto& byte = bits[(number - 1) / bits_in_a_byte];
        byte = static_cast<char>(byte | 0x80 >> (number - 1) % bits_in_a_byte);
    };
    if (has_two)
        set(1);
    for (const auto& part : parts)
        set(part.number);
    const auto digits = decode(encoding::binary, bits, bits.size());
    append_encoded(bitmap.written, *digits, bytes);
}

result<void> append_element(const field_specification& field, const element& element, std::string& bytes);

result<void> append_parts(const field_specification& whole, const elements& parts, std::string& bytes)
{
    if (auto problem = wrong_parts(whole, parts))
        return *std::move(problem);
    if (whole.bitmap)
        append_bitmap(*whole.bitmap, parts, bytes);
    for (const auto& part : parts) {
        if (whole.tag)
            append_encoded(whole.tag->written, fmt::format("{:0{}}", part.number, whole.tag->digits()), bytes);
        if (auto appended = append_element(*whole.part(part.number), part, bytes); !appended)
            return in_element(part.number, std::move(appended).error());
    }
    return {};
}

result<void> append_composite(const field_specification& field, const elements& parts, std::string& bytes)
{
    std::string inside;
    if (auto appended = append_parts(field, parts, inside); !appended)
        return appended;
    if (auto problem = wrong_length(field, inside.size()))
        return *std::move(problem);
    append_length(field.prefix, inside.size(), bytes);
    bytes += inside;
    return {};
}

result<void> append_element(const field_specification& field, const element& element, std::string& bytes)
{
    if (!field.has_parts())
        return element.parts.empty() ? append_text(field, element.text, bytes)
                                     : wrong("must be text: in this dialect it has no parts");
    return element.text.empty() ? append_composite(field, element.parts, bytes)
                                : wrong("must have parts: in this dialect it is not text");
}

} // namespace

result<std::string> dialect::pack(const message& message) const
{
    std::string bytes;
    if (auto appended = append_text(specification_->mti, message.mti, bytes); !appended)
        return problem{.field = "mti", .what = std::move(appended).error().what};
    if (auto appended = append_parts(specification_->elements, message.elements, bytes); !appended)
        return std::move(appended).error();
    return {boost::system::in_place_value, std::move(bytes)};
}

} // namespace causeway::iso8583
