#include "protocols/codes/reply.hpp"

#include <algorithm>
#include <cassert>

namespace causeway::codes {
namespace {

constexpr std::string_view keyword = "code";

// The decoder keeps at most one incomplete line that may still become acceptable, and this much on top for reading.
constexpr std::size_t read_room = 64 * 1024;

// Where the text after the first whole word `code` starts.
std::optional<std::size_t> end_of_keyword(std::string_view line) noexcept
{
    const auto in_word = [&](std::size_t at) {
        return at < line.size() && (is_code_character(line[at]) || line[at] == '_');
    };
    // In ASCII a lower-case letter differs from its upper case only in this bit.
    const auto same_letter = [](char any, char lower) { return (any | 0x20) == lower; };

    for (auto from = line.begin();;) {
        const auto match = std::search(from, line.end(), keyword.begin(), keyword.end(), same_letter);
        if (match == line.end())
            return std::nullopt;
        const auto begin = static_cast<std::size_t>(match - line.begin());
        const auto end = begin + keyword.size();
        if ((begin == 0 || !in_word(begin - 1)) && !in_word(end))
            return end;
        from = match + 1;
    }
}

} // namespace

std::optional<code> code_named_in(std::string_view line) noexcept
{
    const auto behind_keyword = end_of_keyword(line);
    if (!behind_keyword)
        return std::nullopt;
    line.remove_prefix(*behind_keyword);
    if (!line.starts_with(' '))
        return std::nullopt;
    line.remove_prefix(1);
    if (line.starts_with('"'))
        line.remove_prefix(1);
    return code::parse(line.substr(0, code::size));
}

reply_decoder::reply_decoder()
    : input_(longest_line + read_room)
{
}

std::span<char> reply_decoder::space()
{
    assert(input_.unread().size() <= longest_line &&
           "take all lines, and stop at one that is too long, before reading on");
    return input_.space();
}

std::optional<std::string_view> reply_decoder::next_line() noexcept
{
    const auto bytes = input_.unread();
    const auto line_feed = bytes.find('\n', scanned_);
    if (line_feed == std::string_view::npos) {
        scanned_ = bytes.size();
        return std::nullopt;
    }
    if (line_feed >= longest_line) {
        scanned_ = line_feed;
        return std::nullopt;
    }
    scanned_ = 0;
    return input_.take(line_feed + 1);
}

bool reply_decoder::line_too_long() const noexcept
{
    // `scanned_` bytes without a line feed need at least one more to become a line.
    return scanned_ >= longest_line;
}

} // namespace causeway::codes
