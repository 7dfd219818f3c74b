// The file that a log is written to.
#pragma once

#include <string>

namespace causeway::service {

/// Opens the file or named pipe at `path` for a log, which never waits for it. A file is created if necessary, writable
/// for its owner and readable for its group, and appended to. A named pipe needs a reader. Returns its descriptor, or
/// -1 and `errno`.
///
/// A line that is written to a file is copied into the system's memory. That waits for the disk only when the whole
/// system does, because it has too much to write.
int open_log_file(const std::string& path);

/// Opens the same pipe or terminal again, non-blocking. Setting O_NONBLOCK on the given descriptor would set it for all
/// processes that share it. -1 where that is not allowed, as for a terminal of another user, or not needed: a socket
/// can be asked not to wait, and a file never waits.
int open_again_without_blocking(int descriptor);

} // namespace causeway::service
