// Text that can neither forge a line of a log nor control a terminal.
#pragma once

#include <string>
#include <string_view>

namespace causeway::service {

/// `text` with everything except printable ASCII written as \x and two hexadecimal digits.
std::string printable(std::string_view text);

} // namespace causeway::service
