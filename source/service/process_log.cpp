#include "service/process_log.hpp"

#include "service/log_sink.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <stdexcept>
#include <string_view>

#include <sys/stat.h>
#include <unistd.h>

namespace causeway::service {
namespace {

log_sink::reader reader_of_standard_error()
{
    if (journal_reads(STDERR_FILENO, std::getenv("JOURNAL_STREAM")))
        return log_sink::reader::journal;
    const char* terminal = std::getenv("TERM");
    const bool coloured = ::isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
    return coloured ? log_sink::reader::terminal : log_sink::reader::any;
}

} // namespace

process_log::process_log(const log_settings& settings)
    : sink_(std::make_shared<log_sink>(STDERR_FILENO, reader_of_standard_error()))
{
    if (const auto error = apply(settings))
        throw std::runtime_error(*error);
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("causeway", sink_));
    spdlog::set_level(settings.level);
}

std::optional<std::string> process_log::apply(const log_settings& settings)
{
    if (const auto error = sink_->open(settings.file))
        return fmt::format("cannot open --log-file {}: {}; choose a file that this user may write, in a directory that "
                           "exists, or a named pipe with a reader",
                           settings.file, error.message());
    sink_->set_formatter(make_formatter(settings.format));
    spdlog::set_level(settings.level);
    return std::nullopt;
}

bool journal_reads(int descriptor, const char* journal_stream)
{
    struct stat kind {};
    return journal_stream != nullptr && ::fstat(descriptor, &kind) == 0 &&
           fmt::format("{}:{}", kind.st_dev, kind.st_ino) == journal_stream;
}

} // namespace causeway::service
