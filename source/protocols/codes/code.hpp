// A code: the three characters that a request asks about and that its reply names.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <optional>
#include <string_view>

namespace causeway::codes {

/// True for the characters that a code is made of, `[0-9A-Za-z]`, in any locale.
constexpr bool is_code_character(char c) noexcept
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// Three characters from `[0-9A-Za-z]`; upper and lower case differ. Every `code` is valid, so it may be written to the
/// wire as it is.
class code {
public:
    static constexpr std::size_t size = 3;

    /// Makes a code from exactly three letters or digits; nothing for any other text.
    static constexpr std::optional<code> parse(std::string_view text) noexcept
    {
        if (text.size() != size || !std::ranges::all_of(text, is_code_character))
            return std::nullopt;
        return code(text);
    }

    /// The three characters, valid as long as this object.
    constexpr std::string_view text() const noexcept { return {characters_.data(), size}; }

    friend constexpr auto operator<=>(const code&, const code&) noexcept = default;

private:
    constexpr explicit code(std::string_view text) noexcept { std::ranges::copy(text, characters_.begin()); }

    std::array<char, size> characters_{};
};

} // namespace causeway::codes
