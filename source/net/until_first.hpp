// Several concurrent coroutines, until one of them ends.
#pragma once

#include "net/asio.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

namespace causeway::net {

/// Throws what `thrown` holds, unless it only says that the coroutine was cancelled.
inline void rethrow_unless_cancelled(const std::exception_ptr& thrown)
{
    try {
        if (thrown)
            std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& error) {
        if (error.code() != asio::error::operation_aborted)
            throw;
    }
}

/// Runs `stories` at the same time until the first of them ends, whether it returns or throws; then cancels the others
/// and waits until they have ended too. Returns the index of the first. An exception from one of them is rethrown here,
/// from the first before the others, unless it only says that the coroutine was cancelled.
///
/// The `||` of Asio's awaitable operators looks similar but ends with the first *success*. With it, a coroutine that
/// throws neither ends the others nor is reported while one of them continues; so a server whose accepting coroutine
/// has failed would look alive.
///
/// A cancelled coroutine needs no flag: the operation that it awaits ends with `operation_aborted`, and if it awaits
/// none at that moment, its next `co_await` throws that. The code after the wait must not run then, so a coroutine that
/// takes errors as values checks for it: `if (error) co_return;`. A wait that was over before the cancellation has no
/// error: if the code after it must not run either, check `this_coro::cancellation_state`.
template <class... Stories>
awaitable<std::size_t> until_first(Stories... stories)
{
    static_assert((std::is_same_v<Stories, awaitable<>> && ...), "results go into variables of the caller");
    constexpr auto ended = [](const std::array<std::size_t, sizeof...(Stories)>& order, auto... thrown) {
        return asio::deferred.values(order, std::array<std::exception_ptr, sizeof...(Stories)>{std::move(thrown)...});
    };
    const auto executor = co_await asio::this_coro::executor;
    const auto [order, thrown] = co_await asio::experimental::make_parallel_group(
                                     asio::co_spawn(executor, std::move(stories), asio::deferred)...)
                                     .async_wait(asio::experimental::wait_for_one(), asio::deferred(ended));
    for (const auto index : order)
        rethrow_unless_cancelled(thrown[index]);
    co_return order[0];
}

} // namespace causeway::net
