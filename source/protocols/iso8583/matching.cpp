#include "protocols/iso8583/matching.hpp"

#include "protocols/iso8583/fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace causeway::iso8583 {
namespace {

constexpr std::size_t kept_of_mti = 3; // version, class and function
constexpr std::size_t function = 2;    // its place

// The fields that may be shown and that a host returns unchanged, with their lengths in ISO 8583:1987.
constexpr std::array<key_fields::field, 5> choices{{{.number = 3, .width = 6, .is_number = true},
                                                    {.number = 7, .width = 10, .is_number = true},
                                                    {.number = 11, .width = 6, .is_number = true},
                                                    {.number = 37, .width = 12, .is_number = false},
                                                    {.number = field::terminal, .width = 8, .is_number = false}}};

key_fields::field choice(std::string_view number)
{
    const auto is_it = [&](const key_fields::field& field) { return std::to_string(field.number) == number; };
    const auto found = std::ranges::find_if(choices, is_it);
    if (found == choices.end())
        throw std::invalid_argument(fmt::format("'{}' cannot be in a key: use some of 3, 7, 11, 37 and 41", number));
    return *found;
}

std::string_view without_trailing_spaces(std::string_view text) noexcept
{
    return text.substr(0, text.find_last_not_of(' ') + 1);
}

// The value of a field, padded to the field's width; nothing when there is none or it is too long.
std::optional<std::string> in_full_width(const message& message, const key_fields::field& field)
{
    const auto* text = text_of(message, field.number);
    if (text == nullptr)
        return std::nullopt;
    const auto value = without_trailing_spaces(*text);
    if (value.empty() || value.size() > field.width)
        return std::nullopt;
    const std::string filler(field.width - value.size(), field.is_number ? '0' : ' ');
    return field.is_number ? filler + std::string(value) : std::string(value) + filler;
}

bool asks_for_a_reply(std::string_view mti) noexcept
{
    return is_mti(mti) && (mti[function] == '0' || mti[function] == '2');
}

bool is_network_management(std::string_view mti) noexcept { return mti[1] == '8'; }

} // namespace

key_fields::key_fields(std::string_view list)
{
    auto length = kept_of_mti;
    for (auto rest = list; !rest.empty() || fields_.empty();) {
        const auto comma = std::min(rest.find(','), rest.size());
        const auto next = choice(rest.substr(0, comma));
        if (std::ranges::any_of(fields_, [&](const field& other) { return other.number == next.number; }))
            throw std::invalid_argument(fmt::format("{} is in the key twice", next.number));
        fields_.push_back(next);
        length += next.width;
        rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    if (list.ends_with(','))
        throw std::invalid_argument("a field is missing after the last comma");
    const auto tells_requests_apart = [](const field& chosen) { return chosen.number == 11 || chosen.number == 37; };
    if (std::ranges::none_of(fields_, tells_requests_apart))
        throw std::invalid_argument("11 or 37 must be in the key: no other field distinguishes requests");
    if (length > upstream::key::longest)
        throw std::invalid_argument(fmt::format("the fields {} do not fit into a key: together they have {} characters "
                                                "of at most {}, so leave one out",
                                                list, length - kept_of_mti, upstream::key::longest - kept_of_mti));
}

bool is_own_trace(std::string_view trace) noexcept { return trace.size() == 6 && trace.starts_with("999"); }

result<upstream::key> key_for(const message& request, const key_fields& fields)
{
    if (!asks_for_a_reply(request.mti))
        return problem{"mti", "it must be that of a message that asks for a reply, such as 0200 or 0420"};
    if (const auto* trace = text_of(request, field::trace_number);
        is_network_management(request.mti) && trace != nullptr && is_own_trace(*trace))
        return problem{"11", "in network management messages the numbers from 999000 on are reserved for the bridge"};
    auto key = request.mti.substr(0, kept_of_mti);
    ++key[function];
    for (const auto& field : fields) {
        const auto value = in_full_width(request, field);
        if (!value)
            return problem{std::to_string(field.number),
                           fmt::format("it identifies the reply, so it needs 1 to {} characters", field.width)};
        key += *value;
    }
    return upstream::key(key);
}

upstream::key key_of(const message& from_host, const key_fields& fields)
{
    auto key = is_mti(from_host.mti) ? from_host.mti.substr(0, kept_of_mti) : std::string(kept_of_mti, '?');
    if (key[function] == '9')
        key[function] = '1';
    for (const auto& field : fields)
        key += in_full_width(from_host, field).value_or(std::string(field.width, ' '));
    return upstream::key(key);
}

bool are_of_one_terminal(const message& request, const message& reply) noexcept
{
    const auto* asked = text_of(request, field::terminal);
    const auto* answered = text_of(reply, field::terminal);
    return asked == nullptr || answered == nullptr ||
           without_trailing_spaces(*asked) == without_trailing_spaces(*answered);
}

} // namespace causeway::iso8583
