// One request of an HTTP client.
#pragma once

#include "net/asio.hpp"

#include <boost/system/result.hpp>

#include <string>

namespace causeway::service {

struct http_answer {
    unsigned status = 0;
    std::string body;
};

/// GETs `target`, which is a valid one, from the server at `place`, on a connection of its own; `id` is the
/// X-Request-Id. Gives the answer, whatever its status, or why there was none: `timed_out` when `deadline` expires or
/// is cancelled first.
awaitable<boost::system::result<http_answer>> ask_over_http(tcp::endpoint place, std::string target, std::string id,
                                                            steady_timer& deadline);

} // namespace causeway::service
