// The life of one connection: questions out, replies in.
#pragma once

#include "net/asio.hpp"
#include "net/connection.hpp"
#include "net/wakeup.hpp"
#include "upstream/availability.hpp"
#include "upstream/multiplexer.hpp"
#include "upstream/protocol.hpp"
#include "upstream/statistics.hpp"
#include "upstream/trials.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace causeway::upstream {

/// What a conversation works with. The referred objects outlive it.
struct conversation {
    net::connection& connection;              ///< to converse on
    upstream::codec& codec;                   ///< of this connection
    multiplexer& requests;                    ///< where `lane` is open
    upstream::lane& lane;                     ///< this connection's requests
    net::wakeup& has_requests;                ///< notified when `lane` has something to write
    upstream::trials& trials;                 ///< on all event loops
    connection_counts& counts;                ///< of the upstream
    const std::string& name;                  ///< the upstream, for the log
    const std::chrono::nanoseconds& patience; ///< how long an upstream that owes a reply may be silent; may change
    std::chrono::nanoseconds heartbeat_after; ///< the quiet time before one; zero for never
    bool& answers_tests; ///< whether it ever answered a greeting, a heartbeat or a probe that is no question; set here
    bool has_to_prove_itself;         ///< by a reply to a question, because the last connection did not work
    bool last_was_only_probed;        ///< and answered, so that what was lost needs no other probe
    std::function<void(bool)> opened; ///< called when the connection takes questions; with true if it is asked at once
    std::function<void()> spoke;      ///< called when the first intelligible message was received
    std::function<void(const key&)> dropped; ///< called when a reply has arrived that no request waits for
};

/// How a conversation ended.
struct ending {
    disconnect why{};                               ///< for the metrics
    std::string reason;                             ///< in words
    std::optional<clock::time_point> asked_at = {}; ///< when something was written first
    bool opened = false;                            ///< whether it was ready for questions
    bool out_of_reach = false;                      ///< the network gave up
    upstream::questions questions = {};             ///< what became of them
};

/// Greets if the codec has a greeting, then writes questions and delivers replies until the connection fails or is
/// closed by either side, until a reply has been due for so long that the upstream seems dead, or until it is
/// cancelled. Afterwards the caller closes the lane.
awaitable<ending> converse(const conversation& conversation);

} // namespace causeway::upstream
