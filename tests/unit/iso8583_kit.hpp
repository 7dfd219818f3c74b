// What the tests of ISO 8583 messages share: messages as JSON, problems as text, and random messages.
#pragma once

#include "protocols/iso8583/json.hpp"
#include "protocols/iso8583/message.hpp"
#include "protocols/iso8583/specification.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::iso8583::test {

/// The message that `json` represents. Throws when it represents none.
inline message message_of(std::string_view json) { return from_json(json).value(); }

inline std::string json_of(const message& message)
{
    std::string json;
    append_json(message, json);
    return json;
}

/// `field: what`, or nothing when there is no problem.
template <class Value>
std::string problem_of(const result<Value>& result)
{
    return result ? std::string() : in_words(result.error());
}

/// A dialect with an ASCII message type indicator, a binary bitmap, and these fields, from line 4 of the file on.
inline std::string dialect_with(std::string_view fields)
{
    return R"({"fields": {
"0": {"type": "Numeric", "length": 4, "enc": "ASCII", "prefix": "ASCII.Fixed"},
"1": {"type": "Bitmap", "length": 8, "enc": "Binary", "prefix": "Binary.Fixed"},
)" + std::string(fields) +
           "}}";
}

/// Messages of a dialect. The same seed gives the same ones.
class random_messages {
public:
    random_messages(const specification& specification, unsigned seed)
        : specification_(specification)
        , random_(seed)
    {
    }

    std::size_t up_to(std::size_t largest) { return std::uniform_int_distribution<std::size_t>(0, largest)(random_); }

    /// Text that the element may have, `length` characters or bytes long.
    std::string text(const field_specification& field, std::size_t length)
    {
        const auto characters = characters_of(field.may_have);
        std::string text(is_of_bytes(field.written) ? 2 * length : length, ' ');
        const auto first = up_to(characters.size());
        const auto step = 1 + up_to(characters.size());
        for (std::size_t at = 0; at != text.size(); ++at)
            text[at] = characters[(first + at * step + at / 7) % characters.size()];
        return text;
    }

    iso8583::element element(const field_specification& field)
    {
        iso8583::element element{.number = field.number};
        if (field.has_parts())
            element.parts = parts(field);
        else
            element.text = text(field, is_fixed(field) ? field.length : length(field));
        return element;
    }

    iso8583::message message()
    {
        return {.mti = text(specification_.mti, 4), .elements = parts(specification_.elements)};
    }

    static bool is_fixed(const field_specification& field)
    {
        return field.prefix.written == length_prefix::form::fixed;
    }

private:
    // Some of the parts; for parts in sequence, the first ones.
    std::vector<iso8583::element> parts(const field_specification& field)
    {
        std::vector<iso8583::element> parts;
        const bool in_a_row = !field.tag && !field.bitmap;
        const auto first_ones = is_fixed(field) ? field.parts.size() : up_to(field.parts.size());
        const auto among = 1 + up_to(7);
        for (const auto& part : field.parts)
            if (in_a_row ? parts.size() < first_ones : up_to(among) == 0)
                parts.push_back(element(part));
        return parts;
    }

    std::size_t length(const field_specification& field)
    {
        constexpr std::size_t mostly = 40;
        const std::size_t shortest = field.prefix.written == length_prefix::form::rest ? 1 : 0;
        return std::max(shortest, up_to(up_to(20) == 0 ? field.length : std::min(field.length, mostly)));
    }

    static std::string characters_of(alphabet alphabet)
    {
        switch (alphabet) {
        case alphabet::digits:
            return "0123456789";
        case alphabet::track:
            return "0123456789=";
        case alphabet::hexadecimal:
            return "0123456789ABCDEF";
        case alphabet::printable:
            break;
        }
        std::string printable;
        for (char character = ' '; character <= '~'; ++character)
            printable += character;
        return printable;
    }

    const specification& specification_;
    std::mt19937 random_;
};

} // namespace causeway::iso8583::test
