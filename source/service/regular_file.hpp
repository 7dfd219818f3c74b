// Files that can be read more than once.
#pragma once

#include <string>

namespace causeway::service {

/// The content of the regular file at `path`. Throws `std::runtime_error` with the reason when it cannot be read, or is
/// something else: a pipe can be read only once, and opening one waits for a writer. This waits for nothing except the
/// disk.
std::string text_of_regular_file(const std::string& path);

} // namespace causeway::service
