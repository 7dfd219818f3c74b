// Whom a session asks.
#pragma once

#include "codes/code.hpp"
#include "net/asio.hpp"
#include "upstream/outcome.hpp"

#include <functional>

namespace causeway::http {

/// Whoever knows the answers: looks a code up and gives the reply or the reason why there is none, in bounded time. The
/// caller lends the timer for that bound; to cancel it ends the wait early. Called on the event loop's thread.
using ask_function = std::function<awaitable<upstream::outcome>(codes::code, steady_timer& deadline)>;

} // namespace causeway::http
