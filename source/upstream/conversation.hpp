// One connection while it lasts: requests out, replies in.
#pragma once

#include "net/asio.hpp"
#include "net/wakeup.hpp"
#include "upstream/multiplexer.hpp"
#include "upstream/reply_channels.hpp"
#include "upstream/statistics.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace causeway::upstream {

/// What a conversation works with. The referred objects outlive it.
struct conversation {
    tcp_socket& socket;
    multiplexer& requests;
    upstream::lane& lane;      ///< this connection's requests
    net::wakeup& has_requests; ///< notified when `lane` has something to write
    reply_channels& replies;
    statistics& counts;
    const std::string& name;           ///< the upstream, for the log
    std::chrono::nanoseconds patience; ///< with an upstream that owes a reply and says nothing
    std::optional<clock::time_point> silent_since = std::nullopt; ///< something was written, and no byte has come
};

/// Writes requests and delivers replies until the connection fails or is closed by either side, until requests have
/// been under way for so long that the upstream seems dead, or until it is cancelled. Returns why it ended, in words.
awaitable<std::string> converse(conversation conversation);

} // namespace causeway::upstream
