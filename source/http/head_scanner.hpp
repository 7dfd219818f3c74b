// The rules of a request's fields that Beast's parser does not enforce.
#pragma once

#include <optional>
#include <string_view>

namespace causeway::http {

/// Checks the lines of a request's header section after the request line as they arrive, and refuses what a lenient
/// server elsewhere might read differently: a carriage return without a line feed or the reverse (RFC 9112 §2.2), a
/// folded line (§5.2), control characters (RFC 9110 §5.5). Two readings of one message are how requests get smuggled.
class head_scanner {
public:
    /// Checks the next bytes, up to the empty line that ends the header section; later bytes are ignored. Returns what
    /// is wrong, in words, or nothing.
    std::optional<std::string_view> scan(std::string_view bytes) noexcept;

private:
    bool ended_ = false;
    char previous_ = '\n';
    bool line_is_empty_ = true;
};

} // namespace causeway::http
