// How characters are encoded as bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace causeway::iso8583 {

/// How an element is written. The first five write text, and a length counts its characters. The other two write bytes,
/// which a length counts; their text is two hexadecimal digits for each.
enum class encoding {
    ascii,       ///< a byte is a character
    ebcdic,      ///< code page 500, except that `|` and `¦` are swapped: what moov and jPOS call EBCDIC
    ebcdic_1047, ///< code page 1047
    bcd,         ///< two digits in a byte, and = as 13; an odd number begins with an unused half-byte
    left_bcd,    ///< the same, but an odd number ends with an unused half-byte
    binary,      ///< the bytes themselves
    hexadecimal, ///< two upper-case digits in ASCII for each byte
};

/// Whether text consists of hexadecimal digits, and a length counts bytes.
constexpr bool is_of_bytes(encoding how) noexcept { return how == encoding::binary || how == encoding::hexadecimal; }

/// Whether two digits share a byte.
constexpr bool is_of_halves(encoding how) noexcept { return how == encoding::bcd || how == encoding::left_bcd; }

/// How many bytes an element of this length takes.
std::size_t encoded_size(encoding how, std::size_t length) noexcept;

/// Appends the bytes of `text`: ASCII characters, of which `bcd` and `left_bcd` write only digits and =, `binary` and
/// `hexadecimal` only an even number of hexadecimal digits, of either case.
void append_encoded(encoding how, std::string_view text, std::string& bytes);

/// The text of this length that `bytes`, exactly `encoded_size` of them, represent; nothing when one of them represents
/// no character. `ascii`, `ebcdic` and `ebcdic_1047` have a character of ISO 8859-1 for every byte. Hexadecimal digits
/// are upper-case.
std::optional<std::string> decode(encoding how, std::string_view bytes, std::size_t length);

} // namespace causeway::iso8583
