#include "service/program.hpp"

#include "service/write_if_room.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <limits>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace causeway::service {

void open_closed_standard_streams()
{
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        const bool closed = ::fcntl(stream, F_GETFD) == -1;
        if (closed && ::open("/dev/null", O_RDWR) != stream) // the lowest free descriptor, so this one
            throw std::system_error(errno, std::generic_category(), "cannot open /dev/null for a standard stream");
    }
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

void leave_no_core_dump()
{
    constexpr rlimit one_byte{1, 1};
    const bool ruled_out = setrlimit(RLIMIT_CORE, &one_byte) == 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
    if (!ruled_out)
        throw std::system_error(errno, std::generic_category(), "cannot rule out core dumps");
}

void ignore_signals_of_failed_writes()
{
    for (const int number : {SIGPIPE, SIGXFSZ})
        std::signal(number, SIG_IGN);
}

void ignore_signals_without_a_meaning()
{
    for (const int number : {SIGHUP, SIGUSR1, SIGUSR2})
        std::signal(number, SIG_IGN);
}

void disregard_signals_until_the_end()
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

void print_for_the_user(const std::string& text)
{
    if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot write to standard output");
}

std::string lines_for(const char* program, const usage_error& wrong)
{
    std::string lines;
    for (const auto& error : wrong.errors) {
        auto line = fmt::format("{}: {}; {} --help lists the options", program, error, program);
        std::ranges::replace_if(
            line, [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?');
        lines += line + '\n';
    }
    return lines;
}

void say_why_it_ends(const char* program, const std::exception& error)
{
    write_if_room(STDERR_FILENO, fmt::format("{}: {:.1000}\n", program, error.what())); // at most 4 bytes per character
}

} // namespace causeway::service
