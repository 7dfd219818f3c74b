// The content of a dialect file.
#pragma once

#include "protocols/iso8583/encoding.hpp"
#include "protocols/iso8583/length_prefix.hpp"

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace causeway::iso8583 {

/// Which characters the text of an element may have.
enum class alphabet {
    digits,      ///< 0 to 9
    printable,   ///< printable ASCII; messages from a host may have others
    track,       ///< where two characters share a byte: digits and =
    hexadecimal, ///< 0 to 9 and A to F
};

/// How the text of an element of fixed length is padded.
struct padding {
    bool on_the_left = false;
    char character = ' ';

    /// Zeros on the left are part of a number, and stay.
    bool stays() const noexcept { return on_the_left && character == '0'; }
};

/// The numbers in front of the parts of an element.
struct tag_form {
    encoding written = encoding::ascii;
    std::size_t length = 0; ///< of `written`: characters, or bytes

    std::size_t digits() const noexcept { return is_of_bytes(written) ? 2 * length : length; }
};

/// The bits that say which parts are present.
struct bitmap_form {
    encoding written = encoding::binary;
    std::size_t size = 8;
    bool grows = true; ///< whether the first bit announces the same number of bits again
};

/// An element, or part of one.
struct field_specification {
    unsigned number = 0;
    std::size_t length = 0; ///< fixed or maximum: for parts in bytes, otherwise in the units of `written`
    length_prefix prefix = {};

    // For an element that has text.
    encoding written = encoding::ascii;
    alphabet may_have = alphabet::printable;
    std::optional<iso8583::padding> padding = {};

    // For an element that has parts: with a bitmap in front, a tag each, or in sequence.
    std::vector<field_specification> parts = {}; ///< in the order of their numbers
    std::optional<tag_form> tag = {};
    std::optional<bitmap_form> bitmap = {};

    bool has_parts() const noexcept { return !parts.empty(); }

    /// The part with this number, or a null pointer.
    const field_specification* part(unsigned number) const noexcept;
};

/// A dialect. The elements of a message are the parts of one element that has a bitmap.
struct specification {
    field_specification mti;
    field_specification elements;
};

/// Reads a dialect file. Throws `dialect::error`: `NAME:LINE: what is wrong`.
specification parse_specification(std::string_view text, std::string_view name);

} // namespace causeway::iso8583
