// What a reply is matched by.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <type_traits>

namespace causeway::upstream {

/// Up to 31 bytes, held inline: room for what identifies a message in most protocols. A protocol decides what is in it;
/// the engine only compares and hashes it. Any thread may use its own copy.
class key {
public:
    static constexpr std::size_t longest = 31; ///< bytes

    /// `text` has at most `longest` bytes.
    explicit key(std::string_view text) noexcept
        : size_(static_cast<std::uint8_t>(text.size()))
    {
        assert(text.size() <= longest);
        std::ranges::copy(text, bytes_.begin());
    }

    /// The bytes, valid as long as this object.
    std::string_view text() const noexcept { return {bytes_.data(), size_}; }

    friend bool operator==(const key& left, const key& right) noexcept { return left.words() == right.words(); }

private:
    friend std::hash<key>;

    // All of it, for comparing and hashing: the bytes that are not used are zero.
    std::array<std::uint64_t, 4> words() const noexcept { return std::bit_cast<std::array<std::uint64_t, 4>>(*this); }

    std::array<char, longest> bytes_{};
    std::uint8_t size_;
};

static_assert(std::is_trivially_copyable_v<key> && sizeof(key) == 4 * sizeof(std::uint64_t));

} // namespace causeway::upstream

/// @cond
template <>
struct std::hash<causeway::upstream::key> {
    /// The same number of steps for any length, all independent of each other except the last.
    std::size_t operator()(const causeway::upstream::key& key) const noexcept
    {
        const auto [first, second, third, fourth] = key.words();
        const auto mixed = first * 0x9e37'79b9'7f4a'7c15 ^ second * 0xc2b2'ae3d'27d4'eb4f ^
                           third * 0x1656'67b1'9e37'79f9 ^ fourth * 0x27d4'eb2f'1656'67c5;
        return mixed ^ (mixed >> 32U);
    }
};
/// @endcond
