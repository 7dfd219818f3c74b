#include "service/access_file.hpp"

#include "net/worth_a_line.hpp"
#include "service/log_file.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <stdexcept>
#include <system_error>

#include <poll.h>
#include <unistd.h>

namespace causeway::service {
namespace {

using std::chrono::steady_clock;

// How often a wait for room checks whether it has to hurry.
constexpr std::chrono::milliseconds between_looks{50};

bool is_standard_output(const std::string& path) { return path == "-"; }

// As many whole lines as one write can take, so that a pipe has room for all of them or none.
std::string_view first_lines(std::string_view lines)
{
    if (lines.size() <= PIPE_BUF)
        return lines;
    return lines.substr(0, lines.rfind('\n', PIPE_BUF - 1) + 1);
}

std::uint64_t count_lines(std::string_view text) { return static_cast<std::uint64_t>(std::ranges::count(text, '\n')); }

} // namespace

access_file::access_file(const std::string& path)
    : own_(is_standard_output(path) ? open_again_without_blocking(STDOUT_FILENO) : open_log_file(path))
    , descriptor_(own_ == -1 ? STDOUT_FILENO : own_)
{
    if (own_ == -1 && !is_standard_output(path))
        throw std::runtime_error(
            fmt::format("cannot open --access-log {}: {}; choose a file that this user may write, in a directory that "
                        "exists, or a named pipe with a reader",
                        path, std::generic_category().message(errno)));
}

access_file::~access_file()
{
    if (own_ != -1)
        ::close(own_);
}

std::uint64_t access_file::write(std::string_view lines)
{
    std::uint64_t lost = 0;
    while (!lines.empty()) {
        const auto piece = first_lines(lines);
        lines.remove_prefix(piece.size());
        lost += count_lines(output_.write(descriptor_, piece, [this](int error) { return goes_on_after(error); }));
    }
    return lost;
}

bool access_file::goes_on_after(int error)
{
    if (error == EAGAIN)
        return wait_for_room();
    if (net::worth_a_line(++failures_))
        spdlog::error("cannot write to the access log: {} ({} such so far)", std::generic_category().message(error),
                      failures_);
    return false;
}

bool access_file::wait_for_room()
{
    pollfd room{descriptor_, POLLOUT, 0};
    while (steady_clock::now() < latest_.load())
        if (::poll(&room, 1, static_cast<int>(between_looks.count())) == 1)
            return true; // or there is no reader any more, which the next write reports
    return false;
}

void access_file::hurry(std::chrono::nanoseconds patience)
{
    latest_.store(steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(patience));
}

} // namespace causeway::service
