// What the admin pages show.
#pragma once

#include "http/statistics.hpp"
#include "upstream/statistics.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::admin {

/// What one event loop has counted, as a copy. The sum of several is what they did together.
struct loop_figures {
    http::statistics http;
    upstream::pool_figures upstream;
    std::uint64_t access_lines_lost = 0;

    loop_figures& operator+=(const loop_figures& other)
    {
        http += other.http;
        upstream += other.upstream;
        access_lines_lost += other.access_lines_lost;
        return *this;
    }
};

/// What does not change while the process runs.
struct facts {
    std::string version;
    std::vector<std::string> upstreams; ///< in the order of the settings
    std::string_view protocol = {};     ///< its name; static memory
    bool coalesces = false;
    bool can_be_asked = false;                          ///< by the live page, as a client
    std::chrono::system_clock::time_point started = {}; ///< which does not move when the clock is set
};

/// How often the settings were read again, and with what success.
struct reload_counts {
    std::uint64_t reloads = 0;
    bool last_succeeded = true;
    std::chrono::system_clock::time_point last; ///< that succeeded; when the program started, if none has
};

/// The process at one moment.
struct report {
    loop_figures sum;                       ///< of all event loops; of one that does not answer, the last that is known
    std::size_t loops = 0;                  ///< event loops
    std::size_t loops_responding = 0;       ///< of these, the ones that answered in time
    std::size_t loops_with_an_upstream = 0; ///< of these, the ones that have a connection that works to any upstream
    std::chrono::nanoseconds time_to_answer{}; ///< that each of them had
    bool draining = false;
    std::size_t connections = 0; ///< open ones, of HTTP clients
    std::size_t connections_limit = 0;
    std::size_t waiting_limit = 0;   ///< of requests
    std::size_t upstream_window = 0; ///< of each connection
    std::chrono::nanoseconds reply_timeout{};
    reload_counts reloads;
    std::optional<std::chrono::system_clock::time_point> certificate_expiry; ///< of the one shown to clients
    std::uint64_t log_lines_lost = 0;
};

} // namespace causeway::admin
