// What a reply is matched by.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <random>
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
    friend class key_hash;

    // All of it, for comparing and hashing: the bytes that are not used are zero.
    std::array<std::uint32_t, 8> words() const noexcept { return std::bit_cast<std::array<std::uint32_t, 8>>(*this); }

    std::array<char, longest> bytes_{};
    std::uint8_t size_;
};

static_assert(std::is_trivially_copyable_v<key> && sizeof(key) == key::longest + 1);

/// The hash of keys, for one table. It depends on random numbers that each object draws when it is made; a copy has the
/// same. Clients choose keys, and one who could tell which of them share a bucket could make a table as slow as a list.
/// Multilinear hashing: whatever two keys are, their hashes are equal with a probability of 2^-32 (Lemire and Kaser,
/// "Strongly universal string hashing is fast", The Computer Journal 57, 2014). Any thread may use its own copy.
class key_hash {
public:
    /// Draws the numbers from the system, which is slow. Throws what `std::random_device` throws.
    key_hash()
    {
        std::random_device system;
        for (auto& secret : secrets_)
            secret = std::uint64_t{system()} << 32U | system();
    }

    /// The hash of `key`.
    std::size_t operator()(const key& key) const noexcept
    {
        const auto words = key.words();
        auto sum = secrets_.back() + secrets_[last] * words[last]; // of its end and its size
        for (std::size_t at = 0; at != last && 4 * at < key.size_; ++at)
            sum += secrets_[at] * words[at]; // the others are zero
        return spread(sum >> 32U);
    }

private:
    static constexpr std::size_t last = 7; // word of a key

    // Similar keys give sums at regular distances, which would miss many of the buckets.
    static std::size_t spread(std::uint64_t sum) noexcept
    {
        const auto spread = sum * 0x9e37'79b9'7f4a'7c15;
        return spread ^ (spread >> 32U);
    }

    std::array<std::uint64_t, 9> secrets_; // one for each word of a key, and one more
};

} // namespace causeway::upstream
