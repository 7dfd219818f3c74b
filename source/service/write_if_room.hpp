// Lines for a reader that may have stopped reading.
#pragma once

#include <string_view>

#include <sys/types.h>

namespace causeway::service {

/// Writes `line`, of at most PIPE_BUF bytes, to the pipe, socket, terminal or file `descriptor` if there is room for it
/// at this moment. True when all of it was written. False when there was no room or no reader; then nothing of it was
/// written, unless a socket, a terminal or a disk had room for a part. Neither allocates nor throws, so it works when
/// memory has run out. Any thread.
///
/// It does not wait, except in two cases, which a non-blocking `descriptor` avoids: another process fills the pipe
/// between the check for room and the write; a terminal has room for only part of the line.
bool write_if_room(int descriptor, std::string_view line) noexcept;

/// The same for as much of `text` as there is room for. Returns how many bytes that was, or -1 and `errno`, which is
/// EAGAIN when there was no room.
ssize_t write_what_fits(int descriptor, std::string_view text) noexcept;

} // namespace causeway::service
