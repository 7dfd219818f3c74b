// Requests on the wire: what the bridge writes and the code server reads.
#pragma once

#include "protocols/codes/code.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace causeway::codes {

/// Appends the request for `code` to `wire`: its three characters and a line feed.
void append_request(code code, std::string& wire);

/// Finds the codes in a stream of bytes, however TCP has split or joined them. A code ends after three bytes or at a
/// line ending, whichever comes first; CR and LF between codes are skipped. The result may therefore be shorter than a
/// code, or contain any byte except CR and LF: the server answers that it is unknown.
class request_decoder {
public:
    /// Removes bytes from the front of `bytes` up to the end of the next code and returns that code's one to three
    /// bytes; nothing when `bytes` is used up first. An incomplete code is remembered for the next call.
    std::optional<std::string> next(std::string_view& bytes);

    /// At the end of the stream: the received part of an incomplete code, if there is one.
    std::optional<std::string> finish();

private:
    std::string partial_;
};

} // namespace causeway::codes
