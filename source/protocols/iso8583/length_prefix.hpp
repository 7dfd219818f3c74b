// The length in front of an element.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace causeway::iso8583 {

/// How a length is written. A value.
struct length_prefix {
    enum class form {
        fixed,  ///< not at all: the length is always the same
        rest,   ///< not at all: the element is everything that is left
        ascii,  ///< decimal digits in ASCII
        ebcdic, ///< decimal digits in EBCDIC
        bcd,    ///< decimal digits, two in a byte
        hex,    ///< two hexadecimal digits in ASCII for each L
        binary, ///< a byte for each L, the highest one first
    };

    form written = form::fixed;
    unsigned digits = 0; ///< how many L there are: at most 6, for `hex` and `binary` at most 4

    bool is_written() const noexcept { return digits != 0; }
};

/// How many bytes it takes.
std::size_t size_of(const length_prefix& prefix) noexcept;

/// The largest length that it can express; any number if it is not written.
std::size_t largest(const length_prefix& prefix) noexcept;

/// Appends a length that is not larger than the largest.
void append_length(const length_prefix& prefix, std::size_t length, std::string& bytes);

/// The length that `bytes`, exactly `size_of` of them, represent; nothing when they represent none.
std::optional<std::size_t> decode_length(const length_prefix& prefix, std::string_view bytes);

} // namespace causeway::iso8583
