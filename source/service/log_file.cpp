#include "service/log_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>

namespace causeway::service {

int open_log_file(const std::string& path)
{
    return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                  S_IRUSR | S_IWUSR | S_IRGRP);
}

int open_again_without_blocking(int descriptor)
{
    struct stat kind {};
    if (::fstat(descriptor, &kind) != 0 || (!S_ISFIFO(kind.st_mode) && !S_ISCHR(kind.st_mode)))
        return -1;
    return ::open(fmt::format("/proc/self/fd/{}", descriptor).c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

} // namespace causeway::service
