#include "service/program.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <csignal>
#include <limits>

namespace causeway::service {

void start_logging(spdlog::level::level_enum level)
{
    spdlog::set_default_logger(spdlog::stderr_color_mt("causeway"));
    spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
    spdlog::set_level(level);
}

void raise_file_limit()
{
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        spdlog::warn("the limit of open files stays as it is");
}

std::size_t open_file_limit()
{
    rlimit files{};
    return getrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur : std::numeric_limits<std::size_t>::max();
}

void ignore_broken_pipes() { std::signal(SIGPIPE, SIG_IGN); }

} // namespace causeway::service
