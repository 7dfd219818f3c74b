// Waiting for time to pass.
#pragma once

#include "net/asio.hpp"

#include <chrono>

namespace causeway::net {

/// Suspends the calling coroutine for `duration`, or until it is cancelled.
awaitable<> sleep(std::chrono::nanoseconds duration);

} // namespace causeway::net
