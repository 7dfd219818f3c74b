// What a reply is matched by.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string_view>
#include <type_traits>

namespace causeway::upstream {

/// Up to 31 bytes, held inline: room for a code as well as for a terminal, a trace number, a time and a message type. A
/// protocol decides what stands in it; the engine only compares and hashes. Any thread may use its own copy.
class key {
public:
    static constexpr std::size_t longest = 31;

    /// `text` has at most `longest` bytes.
    explicit key(std::string_view text) noexcept
        : size_(static_cast<std::uint8_t>(text.size()))
    {
        assert(text.size() <= longest);
        std::ranges::copy(text, bytes_.begin());
    }

    /// The bytes, valid as long as this object.
    std::string_view text() const noexcept { return {bytes_.data(), size_}; }

    friend bool operator==(const key&, const key&) noexcept = default;

private:
    std::array<char, longest> bytes_{};
    std::uint8_t size_;
};

static_assert(std::is_trivially_copyable_v<key> && sizeof(key) == 4 * sizeof(std::uint64_t));

} // namespace causeway::upstream

/// Four multiplications, whatever its length: the bytes that are not used are zero.
template <>
struct std::hash<causeway::upstream::key> {
    std::size_t operator()(const causeway::upstream::key& key) const noexcept
    {
        std::array<std::uint64_t, 4> words{};
        std::memcpy(words.data(), &key, sizeof key);
        std::uint64_t mixed = 0;
        for (const auto word : words)
            mixed = (mixed ^ word ^ (mixed >> 32U)) * 0x9e37'79b9'7f4a'7c15;
        return mixed ^ (mixed >> 32U);
    }
};
