// Messages as JSON: {"mti":"0200","3":"000000","127":{"2":"…"}}. Pure; any thread may call it.
#pragma once

#include "protocols/iso8583/message.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace causeway::iso8583 {

/// Longer JSON is refused, in bytes. A message of 64 KiB takes less, unless it has many escapes or white space.
constexpr std::size_t longest_json = 512 * 1024;

/// The message that `text` represents: an object with "mti" and elements "2" to "128". Values are strings of ASCII
/// characters, or objects with the parts of an element: a number would have lost its leading zeros, and is refused.
/// Only a dialect can check whether the elements are valid.
result<message> from_json(std::string_view text);

/// Appends `message` as JSON, in ASCII: other characters, which are ISO 8859-1, become \u00XX.
void append_json(const message& message, std::string& output);

} // namespace causeway::iso8583
