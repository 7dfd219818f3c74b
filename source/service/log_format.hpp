// The format of a message in the log.
#pragma once

#include <spdlog/formatter.h>

#include <memory>

namespace causeway::service {

enum class log_format {
    text, ///< time, level and message, in words
    json, ///< an object: `time` (RFC 3339, UTC, milliseconds), `level`, `message`
};

/// The formatter with which spdlog makes a line of a message. A JSON line is valid JSON in printable ASCII whatever its
/// message contains, and short enough for a single write (PIPE_BUF), including the prefix for the journal: a longer
/// message is cut, and says so. A byte of the message that is not printable ASCII is written as in the text log, as \x
/// and two hexadecimal digits.
std::unique_ptr<spdlog::formatter> make_formatter(log_format format);

} // namespace causeway::service
