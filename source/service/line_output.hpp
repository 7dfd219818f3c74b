// Whole lines for what may have room for a part of one.
#pragma once

#include <functional>
#include <string_view>

namespace causeway::service {

/// Remembers whether a disk that is full, a socket or a terminal has taken a part of a line only. Before the next one,
/// that part is ended, so no line stands behind a part of another. For one thread.
class line_output {
public:
    /// Writes whole `lines` to `descriptor` as `write_what_fits` does. Where that fails, `goes_on_after` gets `errno`,
    /// and says whether to try again. Gives what was not written; that may begin within a line, which is torn then.
    std::string_view write(int descriptor, std::string_view lines, const std::function<bool(int)>& goes_on_after);

private:
    bool torn_ = false;
};

} // namespace causeway::service
