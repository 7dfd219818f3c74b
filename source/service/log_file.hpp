// What a log is written to.
#pragma once

#include <string>

namespace causeway::service {

/// Opens the file or named pipe at `path` for a log, which never waits for it. A file is made if there is none, for its
/// owner to write and its group to read, and appended to. A named pipe needs a reader. Gives its descriptor, or -1 and
/// `errno`.
///
/// A line that is written to a file is copied into the system's memory. That waits for the disk only where the whole
/// system does, because it has too much to write.
int open_log_file(const std::string& path);

/// The same pipe or terminal once more, non-blocking. To set O_NONBLOCK on the given one would set it for all processes
/// that share it. -1 where that is not allowed, as for a terminal of another user, or not needed: a socket can be asked
/// not to wait, and a file never waits.
int open_again_without_blocking(int descriptor);

} // namespace causeway::service
