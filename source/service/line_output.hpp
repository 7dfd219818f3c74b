// Whole lines for an output that may have room for only part of one.
#pragma once

#include <functional>
#include <string_view>

namespace causeway::service {

/// Remembers whether a full disk, a socket or a terminal has taken only part of a line. That part is terminated before
/// the next line, so no line continues another. For one thread.
class line_output {
public:
    /// Writes whole `lines` to `descriptor` as `write_what_fits` does. If that fails, `goes_on_after` gets `errno`, and
    /// says whether to try again. Returns what was not written; it may begin within a line, which is then torn.
    std::string_view write(int descriptor, std::string_view lines, const std::function<bool(int)>& goes_on_after);

private:
    bool torn_ = false;
};

} // namespace causeway::service
