#include "protocols/iso8583/frame.hpp"

#include "protocols/iso8583/length_prefix.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace causeway::iso8583 {
namespace {

length_prefix prefix_of(length_form form) noexcept
{
    switch (form) {
    case length_form::binary4:
        return {.written = length_prefix::form::binary, .digits = 4};
    case length_form::ascii4:
        return {.written = length_prefix::form::ascii, .digits = 4};
    case length_form::bcd2:
        return {.written = length_prefix::form::bcd, .digits = 4};
    case length_form::binary2:
        break;
    }
    return {.written = length_prefix::form::binary, .digits = 2};
}

// What a length counts besides the message.
std::size_t overhead_of(const framing& framing) noexcept
{
    return framing.header.size() + (framing.includes_itself ? size_of(prefix_of(framing.form)) : 0);
}

} // namespace

std::size_t longest_in(const framing& framing) noexcept
{
    const auto greatest = largest(prefix_of(framing.form));
    return std::min(longest_message, greatest - std::min(greatest, overhead_of(framing)));
}

void append_frame(std::string_view message, const framing& framing, std::string& wire)
{
    assert(message.size() <= longest_in(framing));
    append_length(prefix_of(framing.form), message.size() + overhead_of(framing), wire);
    wire.append(framing.header).append(message);
}

frame_reader::frame_reader(iso8583::framing framing)
    : framing_(std::move(framing))
    , input_(size_of(prefix_of(framing_.form)) + framing_.header.size() + longest_message)
{
}

std::optional<std::string_view> frame_reader::next()
{
    const auto& header = framing_.header;
    const auto prefix = prefix_of(framing_.form);
    const auto size = size_of(prefix);
    const auto own_share = framing_.includes_itself ? size : 0;
    while (broken_.empty() && input_.unread().size() >= size) {
        const auto bytes = input_.unread();
        const auto length = decode_length(prefix, bytes.substr(0, size));
        if (!length)
            return break_off("the length of a message has a character that is not a digit");
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
            return break_off("a message has a different header");
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
