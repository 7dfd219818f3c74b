#include "protocols/iso8583/length_prefix.hpp"

#include "protocols/iso8583/encoding.hpp"

#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace causeway::iso8583 {
namespace {

using form = length_prefix::form;

bool is_hexadecimal(const length_prefix& prefix) noexcept
{
    return prefix.written == form::hex || prefix.written == form::binary;
}

// How the digits of a length are encoded.
encoding encoding_of(const length_prefix& prefix) noexcept
{
    switch (prefix.written) {
    case form::ebcdic:
        return encoding::ebcdic;
    case form::bcd:
        return encoding::bcd;
    case form::hex:
        return encoding::hexadecimal;
    case form::binary:
        return encoding::binary;
    default:
        return encoding::ascii;
    }
}

} // namespace

std::size_t size_of(const length_prefix& prefix) noexcept { return encoded_size(encoding_of(prefix), prefix.digits); }

std::size_t largest(const length_prefix& prefix) noexcept
{
    if (!prefix.is_written())
        return std::numeric_limits<std::size_t>::max();
    const std::size_t base = is_hexadecimal(prefix) ? 256 : 10;
    std::size_t numbers = 1;
    for (unsigned digit = 0; digit != prefix.digits; ++digit)
        numbers *= base;
    return numbers - 1;
}

void append_length(const length_prefix& prefix, std::size_t length, std::string& bytes)
{
    if (!prefix.is_written())
        return;
    const auto digits = is_hexadecimal(prefix) ? fmt::format("{:0{}X}", length, 2 * prefix.digits)
                                               : fmt::format("{:0{}}", length, prefix.digits);
    append_encoded(encoding_of(prefix), digits, bytes);
}

std::optional<std::size_t> decode_length(const length_prefix& prefix, std::string_view bytes)
{
    const auto digits = decode(encoding_of(prefix), bytes, prefix.digits);
    if (!digits)
        return std::nullopt;
    std::size_t length = 0;
    const auto* const end = digits->data() + digits->size();
    const auto [stopped, error] = std::from_chars(digits->data(), end, length, is_hexadecimal(prefix) ? 16 : 10);
    return error == std::errc() && stopped == end ? std::optional(length) : std::nullopt;
}

} // namespace causeway::iso8583
