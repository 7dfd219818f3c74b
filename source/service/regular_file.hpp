// Files that can be read more than once.
#pragma once

#include <string>

namespace causeway::service {

/// What stands in the regular file at `path`. Throws `std::runtime_error` with the reason when it cannot be read, and
/// when it is something else: a pipe can be read once only, and who opens one waits for whoever writes to it. It never
/// waits for anything but a disk.
std::string text_of_regular_file(const std::string& path);

} // namespace causeway::service
