// For coroutines that are not awaited and must not fail.
#pragma once

#include <exception>

namespace causeway::net {

/// Completion handler for `co_spawn`: an exception propagates out of the event loop's `run` and ends the program,
/// instead of getting lost.
inline constexpr auto rethrow = [](const std::exception_ptr& thrown) {
    if (thrown)
        std::rethrow_exception(thrown);
};

} // namespace causeway::net
