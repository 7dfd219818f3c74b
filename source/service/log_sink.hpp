// The log's way out of the process, which nothing that happens to its reader may block.
#pragma once

#include "service/line_output.hpp"

#include <spdlog/sinks/base_sink.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <system_error>

namespace causeway::service {

/// Writes each message as one line to a pipe, socket, terminal or file. A line for which there is no room at this
/// moment is dropped and counted, and the next one that finds room comes after one that says how many were lost. So a
/// reader that stalls stops neither an event loop that logs nor the end of the program.
///
/// A line has at most PIPE_BUF bytes, so that it is written in one go; a longer one is cut, and says so. All in it but
/// printable ASCII is written as \x and two hexadecimal digits: what a peer or a user chose can neither forge a line
/// nor talk to a terminal.
///
/// Any thread may log; a line costs three system calls. `flush` says how many lines were lost since the last that
/// was written, if there is room.
class log_sink final : public spdlog::sinks::base_sink<std::mutex> {
public:
    /// Who reads what is written to the output that the sink was made for.
    enum class reader {
        any,
        terminal, ///< shows the level of a message in its colour
        journal,  ///< knows the level from <N> in front of a line (sd-daemon(3))
    };

    /// Writes to what the file descriptor `output` stands for, which stays the caller's, is not changed, and stays open
    /// as long as this object lives.
    log_sink(int output, reader who_reads);

    /// From now on lines go to the file or named pipe at `path`, or, if that is empty, to `output`. A file is made if
    /// there is none, for its owner to write and its group to read, and appended to; one that was moved away since it
    /// was opened is left behind. A named pipe needs a reader. On an error, which is the result, all stays as it was.
    /// Any thread.
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
    reader who_reads_; // what is written at present
    int own_;          // a file, or the output once more; or -1
    line_output lines_;
    std::uint64_t lost_ = 0; // lines, since one was written
    std::uint64_t lost_ever_ = 0;
};

/// How many lines the process's log has lost since the start. Any thread.
std::uint64_t lines_lost_of_the_log();

} // namespace causeway::service
