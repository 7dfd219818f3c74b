// Where a message ends in a stream of bytes: the length in front of it, and a header that is the same for all messages.
#pragma once

#include "upstream/input_buffer.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace causeway::iso8583 {

/// How the length of a frame is written.
enum class length_form {
    binary2, ///< two bytes, the higher one first
    binary4, ///< four bytes, the highest one first
    ascii4,  ///< four decimal digits
    bcd2,    ///< four decimal digits in two bytes
};

/// What all frames of a connection have in common. A value.
struct framing {
    length_form form = length_form::binary2;
    std::string header = {};      ///< bytes between the length and the message; the length includes them
    bool includes_itself = false; ///< the length includes its own bytes

    friend bool operator==(const framing&, const framing&) = default;
};

/// The longest message, in bytes. The form may allow less: see `longest_in`.
constexpr std::size_t longest_message = 64 * 1024;

/// The longest message that fits into a frame: a length of two bytes ends at 65,535 and one of four digits at 9,999,
/// including the header and, if the length includes itself, the length.
std::size_t longest_in(const framing& framing) noexcept;

/// Appends `message`, which is not longer than `longest_in(framing)`, in its frame.
void append_frame(std::string_view message, const framing& framing, std::string& wire);

/// Splits a stream of bytes into messages, however TCP has split or joined them. Use: read into `space()`, report how
/// many bytes were read with `received()`, then take messages until there is none.
///
/// A frame without content is a keep-alive, and is skipped: it is not a message and not an answer.
class frame_reader {
public:
    explicit frame_reader(iso8583::framing framing);

    /// Room for at least one more byte. Invalidates every message returned before.
    std::span<char> space() { return input_.space(); }

    /// The first `count` bytes of the last `space()` have been filled.
    void received(std::size_t count) noexcept { input_.received(count); }

    /// The next complete message without its frame, valid until `space()` is called; nothing when none is complete, or
    /// the stream is broken.
    std::optional<std::string_view> next();

    /// Why the stream cannot be read any further, in words that show none of its bytes; empty while it can.
    std::string_view broken() const noexcept { return broken_; }

    /// The received bytes of an incomplete frame.
    std::size_t unfinished() const noexcept { return input_.unread().size(); }

private:
    std::optional<std::string_view> break_off(std::string_view reason);

    iso8583::framing framing_;
    upstream::input_buffer input_;
    std::string_view broken_; // static memory
};

} // namespace causeway::iso8583
