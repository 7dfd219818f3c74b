// How many leading characters of a text are of one kind. Every byte of a header section is checked, so this must be
// fast.
#pragma once

#include <boost/url/grammar/alnum_chars.hpp>
#include <boost/url/grammar/lut_chars.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace causeway::http {

/// A set of characters; membership takes one look-up.
class character_set {
public:
    /// The set of these characters.
    constexpr explicit character_set(boost::urls::grammar::lut_chars chars)
    {
        for (std::size_t c = 0; c != contains_.size(); ++c)
            contains_[c] = chars(static_cast<unsigned char>(c));
    }

    /// How many characters at the front of `text` are in the set.
    std::size_t prefix(std::string_view text) const noexcept
    {
        const auto is_in = [this](char c) { return contains_[static_cast<unsigned char>(c)]; };
        const auto end = std::find_if_not(text.begin(), text.end(), is_in);
        return static_cast<std::size_t>(end - text.begin());
    }

private:
    std::array<bool, 256> contains_{};
};

/// What tokens consist of, such as methods and the names of fields (RFC 9110 §5.6.2).
inline constexpr character_set token_chars(boost::urls::grammar::alnum_chars +
                                           boost::urls::grammar::lut_chars("!#$%&'*+-.^_`|~"));

/// Whether `c` is `lowest` or above, and not DEL.
template <unsigned char lowest>
constexpr bool is_at_least(char c) noexcept
{
    const auto byte = static_cast<unsigned char>(c);
    return byte >= lowest && byte != 0x7f;
}

/// How many characters at the front of `text` are `lowest` or above, and not DEL. `lowest` is 0x80 at most.
template <unsigned char lowest>
std::size_t prefix_from(std::string_view text) noexcept
{
    constexpr bool eight_at_once = std::endian::native == std::endian::little; // the first byte is the lowest
    constexpr std::uint64_t each = 0x0101'0101'0101'0101;
    std::size_t length = 0;
    for (std::uint64_t bytes = 0; eight_at_once && text.size() - length >= sizeof bytes; length += sizeof bytes) {
        // Subtracting `lowest` from a byte below it sets the highest bit, which was not set before. 0x7f becomes 0 by
        // exclusive or, and subtracting 1 from 0 sets the highest bit. The borrow can only falsify the bytes after the
        // first one that ends the run.
        std::memcpy(&bytes, text.data() + length, sizeof bytes);
        const auto lower = (bytes - each * lowest) & ~bytes;
        const auto deletes = bytes ^ (each * 0x7f);
        const auto ends = (lower | ((deletes - each) & ~deletes)) & (each * 0x80);
        if (ends != 0)
            return length + static_cast<std::size_t>(std::countr_zero(ends)) / 8;
    }
    while (length != text.size() && is_at_least<lowest>(text[length]))
        ++length;
    return length;
}

} // namespace causeway::http
