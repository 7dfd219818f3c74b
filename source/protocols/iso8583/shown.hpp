// What the log may show of a message.
#pragma once

#include "protocols/iso8583/message.hpp"

#include <string>

namespace causeway::iso8583 {

/// The MTI and those of its fields that may be shown: `0200 3=000000 7=1124164510 11=000001 41=TERM0001`. The others
/// are 37, 39 and 70. No card data is among them.
std::string shown(const message& message);

} // namespace causeway::iso8583
