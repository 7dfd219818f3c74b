// What the log says of an upstream that goes away and comes back.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace causeway::upstream {

/// Each event loop has its own connection to an upstream, so all of them notice its outage, and each attempt to connect
/// shows it again. Here that becomes one line when it begins and one when it ends; the rest is for the level `debug`.
/// Shared by all event loops: any thread may call any member. It locks, which is no matter where a connection is made
/// or lost.
class outage_log {
public:
    /// A connection to `upstream` is open, so long after the last one that worked.
    void connected(const std::string& upstream, std::chrono::nanoseconds down_for);

    /// A connection that worked was lost.
    void lost(const std::string& upstream, std::string_view reason);

    /// An attempt to connect failed.
    void cannot_connect(const std::string& upstream, std::string_view reason);

private:
    enum class state { unknown, up, lost, unreachable };

    // Takes it down. Gives whether that is news.
    bool note(const std::string& upstream, state now);

    std::mutex mutex_;
    std::map<std::string, state> states_;
};

} // namespace causeway::upstream
