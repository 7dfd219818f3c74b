// Several coroutines side by side, until one of them ends.
#pragma once

#include "asio.hpp"

#include <cstddef>
#include <exception>
#include <tuple>
#include <utility>

namespace guide {

// [rethrow]
// What a coroutine throws is a mistake of ours and ends the program, unless it only says that it was cancelled.
inline void rethrow(std::exception_ptr thrown)
{
    try {
        if (thrown)
            std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& error) {
        if (error.code() != asio::error::operation_aborted)
            throw;
    }
}
// [/rethrow]

// [until_first]
// Runs coroutines side by side until the first of them ends; then cancels the others and waits until they have ended
// too. Gives the index of the first.
template <class... Stories>
awaitable<std::size_t> until_first(Stories... stories)
{
    const auto executor = co_await asio::this_coro::executor;
    const auto ended = co_await asio::experimental::make_parallel_group(
                           asio::co_spawn(executor, std::move(stories), asio::deferred)...)
                           .async_wait(asio::experimental::wait_for_one(), asio::deferred);
    std::apply([](const auto& /*order*/, const auto&... thrown) { (rethrow(thrown), ...); }, ended);
    co_return std::get<0>(ended)[0];
}
// [/until_first]

// Sleeps for `duration`, or until it is cancelled.
inline awaitable<void> sleep(std::chrono::nanoseconds duration)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, duration);
    co_await timer.async_wait(as_result);
}

} // namespace guide
