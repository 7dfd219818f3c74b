// The catalogue: what the code server knows about each HTTP status code.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace causeway::codes {

/// One code of IANA's HTTP Status Code Registry (RFC 9110 §16.2).
struct catalogue_entry {
    std::string_view code; ///< three digits
    std::string_view name; ///< as registered, for example `Not Found`
    std::string_view use;  ///< continues after the name: `used when …`, or that the code is unused, and so on
};

/// All entries, in ascending order of their codes. The memory is static.
std::span<const catalogue_entry> catalogue() noexcept;

/// Appends the reply line for what a client sent, one to three bytes without a line ending:
/// `Code 404: Not Found, used when …` and a line feed, or `Code 299: …` that says that it is unknown. Bytes that are
/// not printable ASCII appear as `?`, so a reply is always text.
void append_reply(std::string_view asked, std::string& wire);

} // namespace causeway::codes
