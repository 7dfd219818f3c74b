// The first line of a request, checked as it arrives.
#pragma once

#include "http/refusal.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace causeway::http {

/// Checks a request line (RFC 9112 §3) byte by byte and refuses it at the first byte that cannot be part of one. So a
/// client that speaks another protocol gets an error at once, even if it never sends the end of a line, and the outcome
/// is the same however the bytes are cut.
class request_line_scanner {
public:
    /// Bytes in the longest method (501) and in the longest target (414).
    static constexpr std::size_t longest_method = 32;
    static constexpr std::size_t longest_target = 4 * 1024; ///< see above

    /// Continues. `request` is everything that has arrived of the request, from its first byte on; the bytes of earlier
    /// calls are not checked again, and neither is anything after the line. If something is wrong, sets `refused`, and
    /// nothing more can be scanned.
    void scan(std::string_view request, std::optional<refusal>& refused);

    /// True when the whole line has arrived and nothing is wrong with it.
    bool ended() const noexcept { return part_ == part::nothing; }

    /// How many bytes have been checked: the whole line, including CR and LF, when it has ended.
    std::size_t size() const noexcept { return at_; }

private:
    enum class part { method, target, version, nothing };

    void scan_method(std::string_view request, std::optional<refusal>& refused);
    void scan_target(std::string_view request, std::optional<refusal>& refused);
    void scan_version(std::string_view request, std::optional<refusal>& refused);
    void begin_behind_space(part next) noexcept;

    part part_ = part::method;
    std::size_t begin_ = 0; // of the part
    std::size_t at_ = 0;    // the next byte to check
};

} // namespace causeway::http
