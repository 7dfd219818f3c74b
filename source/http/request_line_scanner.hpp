// The first line of a request, judged while it comes.
#pragma once

#include "http/refusal.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace causeway::http {

/// Looks at a request line (RFC 9112 §3) byte by byte and refuses it at the first byte that cannot be part of one. So a
/// client that speaks another protocol is told at once, also one that never sends the end of a line, and the outcome is
/// the same however the bytes are cut.
class request_line_scanner {
public:
    /// Bytes in the longest method (501) and in the longest target (414).
    static constexpr std::size_t longest_method = 32;
    static constexpr std::size_t longest_target = 4 * 1024;

    /// Looks on. `request` is all that has come of the request, from its first byte on; the bytes of earlier calls are
    /// not looked at again, and neither is what comes behind the line. When something is wrong, says so in `refused`,
    /// and there is nothing more to be scanned.
    void scan(std::string_view request, std::optional<refusal>& refused);

    /// True when all of the line has come and nothing is wrong with it.
    bool ended() const noexcept { return part_ == part::nothing; }

    /// How many bytes have been looked at: the whole line, CR and LF included, when it has ended.
    std::size_t size() const noexcept { return at_; }

private:
    enum class part { method, target, version, nothing };

    void scan_method(std::string_view request, std::optional<refusal>& refused);
    void scan_target(std::string_view request, std::optional<refusal>& refused);
    void scan_version(std::string_view request, std::optional<refusal>& refused);
    void begin_behind_space(part next) noexcept;

    part part_ = part::method;
    std::size_t begin_ = 0; // of the part
    std::size_t at_ = 0;    // the next byte to look at
};

} // namespace causeway::http
