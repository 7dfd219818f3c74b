// The destination of the access log.
#pragma once

#include "service/line_output.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace causeway::service {

/// A file, a named pipe, or the standard output, for whole lines. It may wait for a reader. For one thread, except for
/// `hurry`.
class access_file {
public:
    /// Opens `path` as `open_log_file` does; `-` is the standard output. Throws `std::runtime_error` that says what to
    /// do about it.
    explicit access_file(const std::string& path);
    ~access_file();
    access_file(const access_file&) = delete;
    access_file& operator=(const access_file&) = delete;

    /// Writes these lines, none of which is longer than PIPE_BUF, each with a single write. Returns how many of them
    /// were lost, because there was no room or no reader any more; the log says why.
    std::uint64_t write(std::string_view lines);

    /// From now on it waits for room for at most `patience`. Any thread.
    void hurry(std::chrono::nanoseconds patience);

private:
    bool goes_on_after(int error);
    bool wait_for_room();

    int own_; // or -1
    int descriptor_;
    line_output output_;
    std::uint64_t failures_ = 0;
    std::atomic<std::chrono::steady_clock::time_point> latest_{std::chrono::steady_clock::time_point::max()};
};

} // namespace causeway::service
