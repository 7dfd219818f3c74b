// Cuts a fuzzer's input into pieces at places that the fuzzer chooses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace causeway::fuzz {

/// The input after its first byte, in pieces: that byte is the length of each piece except the last; 0 means one piece.
inline std::vector<std::string_view> pieces(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return {};
    std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::size_t length = data[0] == 0 ? rest.size() : data[0];
    std::vector<std::string_view> pieces;
    while (!rest.empty()) {
        pieces.push_back(rest.substr(0, length));
        rest.remove_prefix(pieces.back().size());
    }
    return pieces;
}

/// The same input in one piece.
inline std::string_view whole(const std::uint8_t* data, std::size_t size)
{
    return size == 0 ? std::string_view() : std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1);
}

/// Ends the run with a report when a property does not hold.
inline void require(bool property)
{
    if (!property)
        __builtin_trap();
}

} // namespace causeway::fuzz
