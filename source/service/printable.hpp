// Text that can neither forge a line of a log nor talk to a terminal.
#pragma once

#include <string>
#include <string_view>

namespace causeway::service {

/// `text` with all but printable ASCII written as \x and two hexadecimal digits.
std::string printable(std::string_view text);

} // namespace causeway::service
