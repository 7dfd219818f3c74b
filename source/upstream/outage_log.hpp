// What the log says about an upstream that goes down and comes back.
#pragma once

#include "upstream/outage.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace causeway::upstream {

/// Writes the events that are worth a line (`outage`); the rest is logged at the level `debug`. Shared by all event
/// loops: any thread may call any member. It locks, which is cheap compared with making or losing a connection.
class outage_log {
public:
    /// A connection to `upstream` works, `down_for` after the last one that did.
    void connected(const std::string& upstream, std::chrono::nanoseconds down_for);

    /// A connection that worked was lost.
    void lost(const std::string& upstream, std::string_view reason);

    /// An attempt to connect failed, or led to a connection that did not work.
    void cannot_connect(const std::string& upstream, std::string_view reason);

private:
    // Returns whether it is worth a line.
    bool note(const std::string& upstream, outage::event now);

    std::mutex mutex_;
    std::map<std::string, outage> outages_;
};

} // namespace causeway::upstream
