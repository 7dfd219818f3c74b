// Where the access log goes.
#pragma once

#include "service/line_output.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace causeway::service {

/// A file, a named pipe, or the standard output, for whole lines. It may wait for a reader; but for `hurry`, it is for
/// one thread.
class access_file {
public:
    /// Opens what is at `path` as `open_log_file` does; `-` is the standard output. Throws `std::runtime_error`, with
    /// what to do about it.
    explicit access_file(const std::string& path);
    ~access_file();
    access_file(const access_file&) = delete;
    access_file& operator=(const access_file&) = delete;

    /// Writes these lines, none of which is longer than PIPE_BUF, each in one go. Gives how many of them were lost,
    /// because there was no room or nobody reads any more; the log says why.
    std::uint64_t write(std::string_view lines);

    /// From now on it waits for room no longer than until `patience` is over. Any thread.
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
