// What the log says about an upstream that goes down and comes back.
#pragma once

#include "net/clock.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace causeway::upstream {

/// Each event loop has its own connection to an upstream, so all of them notice its outage, and each attempt to connect
/// shows it again. Here that becomes one line when it begins and one when it ends. A flapping upstream gets no more
/// than `most_lines` in `window`, the last of which says so; the rest is logged at the level `debug`. Shared by all
/// event loops: any thread may call any member. It locks, which is cheap compared with making or losing a connection.
class outage_log {
public:
    static constexpr std::chrono::nanoseconds window = std::chrono::seconds(10); ///< see above
    static constexpr unsigned most_lines = 10;                                   ///< see above

    /// A connection to `upstream` works, `down_for` after the last one that did.
    void connected(const std::string& upstream, std::chrono::nanoseconds down_for);

    /// A connection that worked was lost.
    void lost(const std::string& upstream, std::string_view reason);

    /// An attempt to connect failed, or led to a connection that did not work.
    void cannot_connect(const std::string& upstream, std::string_view reason);

private:
    enum class state { unknown, up, lost, unreachable };

    struct record {
        state now = state::unknown;
        clock::time_point window_began;
        unsigned lines = 0; // in the window
    };

    // Notes it. Returns whether that is worth a line.
    bool note(const std::string& upstream, state now);

    std::mutex mutex_;
    std::map<std::string, record> records_;
};

} // namespace causeway::upstream
