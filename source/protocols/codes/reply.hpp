// Replies on the wire: what the code server writes and the bridge reads.
#pragma once

#include "protocols/codes/code.hpp"
#include "upstream/input_buffer.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace causeway::codes {

/// The code that a reply line names: the three letters or digits that follow the first word `code` (any case), one
/// space and an optional `"`. Nothing when there is no such word or if something else follows it.
std::optional<code> code_named_in(std::string_view line) noexcept;

/// Splits a stream of bytes into lines, however TCP has split or joined them. Use: read into `space()`, report how many
/// bytes were read with `received()`, then take lines until there is none.
///
/// Its memory is bounded: a line longer than `longest_line` is never returned, and `line_too_long()` reports it.
class reply_decoder {
public:
    /// Bytes in the longest line that is accepted, its line feed included.
    static constexpr std::size_t longest_line = 64 * 1024;

    reply_decoder();

    /// Room for at least one more byte. Invalidates every line returned before.
    std::span<char> space();

    /// The first `count` bytes of the last `space()` have been filled.
    void received(std::size_t count) noexcept { input_.received(count); }

    /// The next complete line with its line feed, valid until `space()` is called; nothing when none is complete or
    /// the next one is too long.
    std::optional<std::string_view> next_line() noexcept;

    /// True when the next line is longer than `longest_line`, whether or not its end has arrived. The stream cannot be
    /// read any further then.
    bool line_too_long() const noexcept;

    /// The received part of an incomplete line, valid like a line.
    std::string_view unfinished_line() const noexcept { return input_.unread(); }

private:
    upstream::input_buffer input_;
    std::size_t scanned_ = 0; // bytes of the next line in which no line feed was found; never searched twice
};

} // namespace causeway::codes
