// The little JSON that answers consist of.
#pragma once

#include <string>
#include <string_view>

namespace causeway::http {

/// Appends to `output` an object with one member, `{"<name>":"<value>"}`, where `name` needs no escapes. Bytes in
/// `value` that are not UTF-8 become U+FFFD (RFC 8259 §8.1).
void append_json(std::string_view name, std::string_view value, std::string& output);

} // namespace causeway::http
