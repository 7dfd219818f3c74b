// What may be logged of a message.
#pragma once

#include "protocols/iso8583/message.hpp"

#include <string>

namespace causeway::iso8583 {

/// The MTI and the fields that may be shown, as far as it has them: `0200 3=000000 7=1124164510 11=000001 41=TERM0001`.
/// The others are 37, 39 and 70. Nothing of a card is among them.
std::string shown(const message& message);

} // namespace causeway::iso8583
