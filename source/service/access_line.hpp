// The format of a request in the access log.
#pragma once

#include "http/access.hpp"
#include "net/clock.hpp"
#include "service/log_format.hpp"

#include <array>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace causeway::service {

/// Writes lines, one after the other. Input from a client appears in them as printable ASCII: any other byte is written
/// as \x and two hexadecimal digits, in JSON as \u00 and the digits, a quotation mark or a backslash is preceded by a
/// backslash, and text that is too long is cut, and ends with "...". docs/operations.md has the columns.
class access_line {
public:
    /// Characters of a target that are shown, and bytes of the longest line: each is written with a single write, to a
    /// pipe too.
    static constexpr std::size_t longest_target = 1024;
    static constexpr std::size_t longest = PIPE_BUF;

    explicit access_line(log_format format)
        : format_(format)
    {
    }

    /// `now` is the time `wall`. To be called before the first line, and again from time to time, because the wall
    /// clock may be set.
    void set_clock(clock::time_point now, std::chrono::system_clock::time_point wall);

    /// Writes the line, with its line feed, to `to`, where there is room for the longest line. Returns its end.
    char* write(const http::access& access, std::string_view peer, char* to);

private:
    struct durations;

    char* write_text(const http::access& access, std::string_view peer, const durations& spent, char* to);
    char* write_json(const http::access& access, std::string_view peer, const durations& spent, char* to);
    char* put_time(char* to, clock::time_point at);

    log_format format_;
    std::chrono::nanoseconds since_1970_{}; // from there to the epoch of `clock`
    clock::time_point second_begins_;
    std::array<char, 20> second_{}; // in words: 2026-11-24T12:00:00.
};

/// The line that says that `count` lines are missing.
std::string lost_lines(std::uint64_t count, std::chrono::system_clock::time_point now, log_format format);

} // namespace causeway::service
