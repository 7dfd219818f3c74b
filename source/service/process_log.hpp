// The log of a process.
#pragma once

#include "service/log_format.hpp"

#include <spdlog/common.h>

#include <memory>
#include <optional>
#include <string>

namespace causeway::service {

class log_sink;

/// What is logged, how, and where.
struct log_settings {
    spdlog::level::level_enum level = spdlog::level::info;
    log_format format = log_format::text;
    std::string file; ///< empty: standard error
};

/// Receives everything that is logged with spdlog, from its construction on, even after its destruction. It never
/// blocks: a line for which there is no room is lost and counted. One object in a process, for its main thread.
class process_log {
public:
    /// Throws `std::runtime_error` that says what to do about it, when the file cannot be opened.
    explicit process_log(const log_settings& settings);

    /// From now on these hold, for all threads. The file is reopened in any case, so that a new one is created if it
    /// was moved away. Returns nothing, or why the file cannot be opened; then everything stays as it was.
    std::optional<std::string> apply(const log_settings& settings);

private:
    std::shared_ptr<log_sink> sink_;
};

/// Whether journald reads what is written to `descriptor`: then `journal_stream`, the value of JOURNAL_STREAM, names
/// its device and inode (systemd.exec(5)). It may be null.
bool journal_reads(int descriptor, const char* journal_stream);

} // namespace causeway::service
