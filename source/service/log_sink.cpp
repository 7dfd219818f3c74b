#include "service/log_sink.hpp"

#include "service/write_if_room.hpp"

#include <fmt/format.h>
#include <spdlog/details/log_msg.h>
#include <spdlog/spdlog.h>

#include <climits>
#include <iterator>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace causeway::service {
namespace {

constexpr std::string_view cut_mark = " (cut)\n";

// The same pipe or terminal once more, non-blocking. To set O_NONBLOCK on the given one would set it for all processes
// that share it. -1 where that is not allowed, as for a terminal of another user, or not needed: a socket can be asked
// not to wait, and a file never waits.
int open_again_without_blocking(int descriptor)
{
    struct stat kind {};
    if (::fstat(descriptor, &kind) != 0 || (!S_ISFIFO(kind.st_mode) && !S_ISCHR(kind.st_mode)))
        return -1;
    return ::open(fmt::format("/proc/self/fd/{}", descriptor).c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

std::string_view colour_of(spdlog::level::level_enum level)
{
    switch (level) {
    case spdlog::level::debug:
        return "\x1b[36m"; // cyan
    case spdlog::level::info:
        return "\x1b[32m"; // green
    case spdlog::level::warn:
        return "\x1b[1;33m"; // bold yellow
    case spdlog::level::err:
    case spdlog::level::critical:
        return "\x1b[1;31m"; // bold red
    default:
        return "";
    }
}

constexpr std::string_view usual_colour = "\x1b[0m";

void append_printable(std::string_view text, std::string& line)
{
    for (const char c : text) {
        if (c >= ' ' && c <= '~')
            line += c;
        else
            fmt::format_to(std::back_inserter(line), "\\x{:02x}", static_cast<unsigned char>(c));
    }
}

} // namespace

log_sink::log_sink(int output, colours wanted)
    : given_(output)
    , own_(open_again_without_blocking(output))
    , colours_(wanted)
{
}

log_sink::~log_sink()
{
    log_sink::flush_();
    if (own_ != -1)
        ::close(own_);
}

void log_sink::sink_it_(const spdlog::details::log_msg& message)
{
    if (!write_count_of_lost() || !write(message)) {
        ++lost_;
        ++lost_ever_;
    }
}

std::uint64_t log_sink::lost_ever()
{
    const std::scoped_lock lock(mutex_);
    return lost_ever_;
}

void log_sink::flush_() { write_count_of_lost(); }

// False while that cannot be told.
bool log_sink::write_count_of_lost()
{
    if (lost_ == 0)
        return true;
    const auto text = fmt::format("{} lines of this log are lost here, because nobody read it in time", lost_);
    if (!write(spdlog::details::log_msg("", spdlog::level::warn, text)))
        return false;
    lost_ = 0;
    return true;
}

bool log_sink::write(const spdlog::details::log_msg& message)
{
    return write_if_room(own_ != -1 ? own_ : given_, line_of(message));
}

std::string log_sink::line_of(const spdlog::details::log_msg& message)
{
    message.color_range_start = 0;
    message.color_range_end = 0;
    spdlog::memory_buf_t formatted;
    formatter_->format(message, formatted);
    std::string_view text(formatted.data(), formatted.size());
    text.remove_suffix(text.ends_with('\n') ? 1 : 0);

    std::string line;
    if (colours_ == colours::yes && message.color_range_start < message.color_range_end) {
        append_printable(text.substr(0, message.color_range_start), line);
        line += colour_of(message.level);
        append_printable(text.substr(message.color_range_start, message.color_range_end - message.color_range_start),
                         line);
        line += usual_colour;
        text.remove_prefix(message.color_range_end);
    }
    append_printable(text, line);
    line += '\n';
    if (line.size() > PIPE_BUF)
        line.replace(PIPE_BUF - cut_mark.size(), std::string::npos, cut_mark);
    return line;
}

std::uint64_t lines_lost_of_the_log()
{
    std::uint64_t lost = 0;
    for (const auto& sink : spdlog::default_logger()->sinks())
        if (auto* ours = dynamic_cast<log_sink*>(sink.get()))
            lost += ours->lost_ever();
    return lost;
}

} // namespace causeway::service
