#include "protocols/iso8583/frame.hpp"

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <utility>

namespace causeway::iso8583 {
namespace {

// What a length is made of: so many bytes, each with a digit of this base.
struct number_format {
    std::size_t size;
    std::uint32_t base;
    std::uint32_t greatest;
};

number_format format_of(length_form form) noexcept
{
    switch (form) {
    case length_form::binary4:
        return {.size = 4, .base = 256, .greatest = UINT32_MAX};
    case length_form::ascii4:
        return {.size = 4, .base = 10, .greatest = 9'999};
    case length_form::bcd2:
        return {.size = 2, .base = 100, .greatest = 9'999};
    case length_form::binary2:
        break;
    }
    return {.size = 2, .base = 256, .greatest = UINT16_MAX};
}

// A digit of a length, from 0 to its base less one, and the byte that it is.
char to_byte(std::uint32_t digit, length_form form) noexcept
{
    if (form == length_form::ascii4)
        return static_cast<char>('0' + digit);
    if (form == length_form::bcd2)
        return static_cast<char>(digit / 10 * 16 + digit % 10);
    return static_cast<char>(digit);
}

std::optional<std::uint32_t> to_digit(char c, length_form form) noexcept
{
    const std::uint32_t byte = static_cast<unsigned char>(c);
    if (form == length_form::ascii4)
        return byte >= '0' && byte <= '9' ? std::optional(byte - '0') : std::nullopt;
    if (form == length_form::bcd2)
        return byte / 16 <= 9 && byte % 16 <= 9 ? std::optional(byte / 16 * 10 + byte % 16) : std::nullopt;
    return byte;
}

void append_length(std::uint32_t length, length_form form, std::string& wire)
{
    const auto [size, base, greatest] = format_of(form);
    assert(length <= greatest);
    const auto end = wire.size() + size;
    wire.resize(end);
    for (std::size_t place = 1; place <= size; ++place, length /= base)
        wire[end - place] = to_byte(length % base, form);
}

// Nothing when it has a digit that is none.
std::optional<std::uint32_t> read_length(std::string_view bytes, length_form form) noexcept
{
    std::uint32_t length = 0;
    for (const char byte : bytes) {
        const auto digit = to_digit(byte, form);
        if (!digit)
            return std::nullopt;
        length = length * format_of(form).base + *digit;
    }
    return length;
}

// What a length counts beside the message.
std::size_t overhead_of(const framing& framing) noexcept
{
    return framing.header.size() + (framing.includes_itself ? format_of(framing.form).size : 0);
}

} // namespace

std::size_t longest_in(const framing& framing) noexcept
{
    const std::size_t greatest = format_of(framing.form).greatest;
    return std::min(longest_message, greatest - std::min(greatest, overhead_of(framing)));
}

void append_frame(std::string_view message, const framing& framing, std::string& wire)
{
    assert(message.size() <= longest_in(framing));
    append_length(static_cast<std::uint32_t>(message.size() + overhead_of(framing)), framing.form, wire);
    wire.append(framing.header).append(message);
}

frame_reader::frame_reader(iso8583::framing framing)
    : framing_(std::move(framing))
    , input_(format_of(framing_.form).size + framing_.header.size() + longest_message)
{
}

std::optional<std::string_view> frame_reader::next()
{
    const auto& header = framing_.header;
    const auto size = format_of(framing_.form).size;
    const auto own_share = framing_.includes_itself ? size : 0;
    while (broken_.empty() && input_.unread().size() >= size) {
        const auto bytes = input_.unread();
        const auto length = read_length(bytes.substr(0, size), framing_.form);
        if (!length)
            return break_off("the length of a message has a digit that is none");
        if (*length == 0 || *length == own_share) {
            input_.take(size);
            continue;
        }
        if (*length < own_share + header.size())
            return break_off("the length of a message is shorter than what it has to include");
        const auto content = *length - own_share;
        if (content > header.size() + longest_message)
            return break_off("a message is longer than 64 KiB");
        if (const auto came = bytes.substr(size, header.size()); !header.starts_with(came))
            return break_off("a message has another header");
        if (bytes.size() - size < content)
            return std::nullopt;
        input_.take(size + header.size());
        return input_.take(content - header.size());
    }
    return std::nullopt;
}

std::optional<std::string_view> frame_reader::break_off(std::string_view reason)
{
    broken_ = reason;
    return std::nullopt;
}

} // namespace causeway::iso8583
