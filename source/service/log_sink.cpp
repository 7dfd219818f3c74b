#include "service/log_sink.hpp"

#include "service/log_file.hpp"
#include "service/printable.hpp"

#include <fmt/format.h>
#include <spdlog/details/log_msg.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <climits>
#include <string_view>
#include <utility>

#include <unistd.h>

namespace causeway::service {
namespace {

constexpr std::string_view cut_mark = " (cut)\n";

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

// The priorities of syslog(3).
int priority_of(spdlog::level::level_enum level)
{
    switch (level) {
    case spdlog::level::critical:
        return 2;
    case spdlog::level::err:
        return 3;
    case spdlog::level::warn:
        return 4;
    case spdlog::level::info:
        return 6;
    default:
        return 7;
    }
}

} // namespace

log_sink::log_sink(int output, reader who_reads)
    : output_(output)
    , who_reads_output_(who_reads)
    , who_reads_(who_reads)
    , own_(open_again_without_blocking(output))
{
}

log_sink::~log_sink()
{
    log_sink::flush_();
    if (own_ != -1)
        ::close(own_);
}

std::error_code log_sink::open(const std::string& path)
{
    int opened = path.empty() ? open_again_without_blocking(output_) : open_log_file(path);
    if (opened == -1 && !path.empty())
        return {errno, std::generic_category()};
    {
        const std::lock_guard lock(mutex_);
        std::swap(own_, opened);
        lines_ = {};
        who_reads_ = path.empty() ? who_reads_output_ : reader::any;
    }
    if (opened != -1)
        ::close(opened);
    return {};
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

// False while there is no room for it.
bool log_sink::write_count_of_lost()
{
    if (lost_ == 0)
        return true;
    const auto text = fmt::format("{} lines of this log are lost here, because there was no room for them", lost_);
    if (!write(spdlog::details::log_msg("", spdlog::level::warn, text)))
        return false;
    lost_ = 0;
    return true;
}

bool log_sink::write(const spdlog::details::log_msg& message)
{
    return lines_.write(own_ != -1 ? own_ : output_, line_of(message), [](int) { return false; }).empty();
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
    if (who_reads_ == reader::journal)
        line = fmt::format("<{}>", priority_of(message.level));
    if (who_reads_ == reader::terminal && message.color_range_start < message.color_range_end) {
        line += printable(text.substr(0, message.color_range_start));
        line += colour_of(message.level);
        line += printable(text.substr(message.color_range_start, message.color_range_end - message.color_range_start));
        line += usual_colour;
        text.remove_prefix(message.color_range_end);
    }
    line += printable(text);
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
