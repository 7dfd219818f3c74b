// The log's output, which must never block, whatever happens to its reader.
#pragma once

#include "service/line_output.hpp"

#include <spdlog/sinks/base_sink.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <system_error>

namespace causeway::service {

/// Writes each message as one line to a pipe, socket, terminal or file. A line for which there is no room at that
/// moment is dropped and counted, and the next one that finds room is preceded by a line that says how many were lost.
/// So a stalled reader holds up neither an event loop that logs nor the end of the program.
///
/// A line has at most PIPE_BUF bytes, so that a single write takes it; a longer one is cut, and says so. Everything in
/// it except printable ASCII is written as \x and two hexadecimal digits: input from a peer or a user can neither forge
/// a line nor control a terminal.
///
/// Any thread may log; a line costs three system calls. `flush` writes how many lines were lost since the last one
/// written, if there is room.
class log_sink final : public spdlog::sinks::base_sink<std::mutex> {
public:
    /// What reads the sink's output.
    enum class reader {
        any,
        terminal, ///< shows the level of a message by colour
        journal,  ///< knows the level from <N> in front of a line (sd-daemon(3))
    };

    /// Writes to the file descriptor `output`, which the caller owns and keeps open as long as this object lives. It is
    /// not modified.
    log_sink(int output, reader who_reads);

    /// From now on lines go to the file or named pipe at `path`, or, if that is empty, to `output`. A file is created
    /// if necessary, writable for its owner and readable for its group, and appended to; a file that was moved away
    /// since it was opened is left behind. A named pipe needs a reader. On an error, which is the result, everything
    /// stays as it was. Any thread.
    std::error_code open(const std::string& path);

    /// Flushes.
    ~log_sink() override;

    /// How many lines have been lost since the start.
    std::uint64_t lost_ever();

    log_sink(const log_sink&) = delete;
    log_sink& operator=(const log_sink&) = delete;

private:
    void sink_it_(const spdlog::details::log_msg& message) override;
    void flush_() override;
    bool write(const spdlog::details::log_msg& message);
    bool write_count_of_lost();
    std::string line_of(const spdlog::details::log_msg& message);

    int output_;
    reader who_reads_output_;
    reader who_reads_; // of the current output
    int own_;          // a file, or the output opened again; or -1
    line_output lines_;
    std::uint64_t lost_ = 0; // lines, since the last one written
    std::uint64_t lost_ever_ = 0;
};

/// How many lines the process's log has lost since the start. Any thread.
std::uint64_t lines_lost_of_the_log();

} // namespace causeway::service
