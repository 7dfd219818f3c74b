// The process in one line.
#pragma once

#include "admin/report.hpp"

#include <string>

namespace causeway::admin {

/// Whether requests are welcome, or why not, and the figures that an operator looks at first; without a line feed.
/// Pure.
std::string status_of(const report& report);

} // namespace causeway::admin
