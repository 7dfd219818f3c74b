#include "service/line_output.hpp"

#include "service/write_if_room.hpp"

#include <cerrno>
#include <cstddef>
#include <utility>

namespace causeway::service {

std::string_view line_output::write(int descriptor, std::string_view lines,
                                    const std::function<bool(int)>& goes_on_after)
{
    auto rest = lines;
    while (!rest.empty()) {
        const auto written = write_what_fits(descriptor, torn_ ? "\n" : rest);
        if (written <= 0 && !goes_on_after(errno))
            break;
        if (written > 0 && !std::exchange(torn_, false))
            rest.remove_prefix(static_cast<std::size_t>(written));
    }
    const auto done = lines.substr(0, lines.size() - rest.size());
    torn_ |= !rest.empty() && !done.empty() && done.back() != '\n';
    return rest;
}

} // namespace causeway::service
