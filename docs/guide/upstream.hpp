// Many requests that wait for their replies on one connection, within bounds.
#pragma once

#include "backoff.hpp"
#include "codes.hpp"
#include "until_first.hpp"
#include "waiting_request.hpp"

#include <boost/system/result.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

namespace guide {

// [bounds]
constexpr std::size_t window = 64;              // most messages that are on their way at once
constexpr std::size_t most_waiting = 256;       // requests, on their way or before that
constexpr std::size_t longest_line = 64 * 1024; // of the backend, in bytes
constexpr auto connect_timeout = 2s;            // an attempt that takes longer has failed
// [/bounds]

// [outcome]
enum class failure {
    timed_out, // no reply came in time
    overloaded // too many requests wait already
};
using outcome = boost::system::result<std::string, failure>;
// [/outcome]

// Boost.System calls it when the reply of an `outcome` without one is used: a bug in the program. From Boost 1.92 on it
// asks for this where `*outcome` is written.
[[noreturn]] inline void throw_exception_from_error(failure /*error*/, const boost::source_location& /*place*/)
{
    throw std::logic_error("an outcome without a reply was asked for it");
}

// [upstream]
// Asks the backend, on one connection at a time. Lives longer than the coroutines that use it.
struct upstream {
    // The reply for `code`, or why there is none.
    awaitable<outcome> ask(std::string code);

    // Connects, converses until the connection is lost, pauses, connects again, until it is cancelled.
    awaitable<void> run();

    // An attempt to connect; says in `failed` how it ended.
    awaitable<void> connect(tcp::socket& socket, error_code& failed);

    // The two directions of a connection, and what ends one that has fallen silent.
    awaitable<void> write(tcp::socket& socket);
    awaitable<void> read(tcp::socket& socket);
    awaitable<void> watch();

    // What is to be written next: as much of the backlog as fits into the window.
    std::string take();

    // Gives a reply to the request that has waited longest for its code.
    void deliver(std::string reply);

    // Of the replies for one code. It keeps none: a reply that no request waits for is dropped.
    using reply_channel = asio::experimental::channel<void(error_code, std::string)>;

    tcp::endpoint backend;
    std::chrono::milliseconds reply_timeout;
    wakeup has_requests;            // of the writer
    request_queue backlog = {};     // not written yet, or to be written again
    request_queue on_the_wire = {}; // written
    std::map<std::string, reply_channel> channels = {};
    std::optional<std::chrono::steady_clock::time_point> silent_since = {}; // written to, and no reply since
};
// [/upstream]

// [ask]
inline awaitable<outcome> upstream::ask(std::string code)
{
    if (backlog.size() + on_the_wire.size() >= most_waiting)
        co_return failure::overloaded;
    const auto executor = co_await asio::this_coro::executor;
    auto& channel = channels.try_emplace(code, executor).first->second;
    const waiting_request request(std::move(code), backlog, has_requests);

    // The order in which the two ended is not looked at: when both did, the reply is there although it was second.
    asio::steady_timer deadline(executor, reply_timeout);
    auto [order, error, reply, expiry] = co_await asio::experimental::make_parallel_group(
                                             channel.async_receive(asio::deferred), deadline.async_wait(asio::deferred))
                                             .async_wait(asio::experimental::wait_for_one(), asio::deferred);
    if (error)
        co_return failure::timed_out;
    co_return std::move(reply);
}
// [/ask]

// [run]
inline awaitable<void> upstream::run()
{
    backoff backoff;
    for (;;) {
        tcp::socket socket(co_await asio::this_coro::executor);
        error_code not_connected = asio::error::timed_out; // unless the attempt ends first
        co_await until_first(connect(socket, not_connected), sleep(connect_timeout));
        if (!not_connected) {
            silent_since.reset();
            co_await until_first(write(socket), read(socket), watch());
            while (!on_the_wire.empty()) // to be written again, before what was not written yet
                on_the_wire.back()->move_to(backlog, backlog.begin());
            backoff = {};
        }
        co_await sleep(backoff.next());
    }
}
// [/run]

// [connect]
inline awaitable<void> upstream::connect(tcp::socket& socket, error_code& failed)
{
    std::tie(failed) = co_await socket.async_connect(backend, as_result);
}
// [/connect]

// [write]
// Sleeps until there is something, then writes all that has gathered in one go.
inline awaitable<void> upstream::write(tcp::socket& socket)
{
    error_code failed;
    while (!failed) {
        const auto wire = take();
        if (wire.empty()) {
            std::tie(failed) = co_await has_requests.async_receive(as_result);
        } else {
            silent_since = silent_since.value_or(std::chrono::steady_clock::now());
            std::tie(failed, std::ignore) = co_await asio::async_write(socket, asio::buffer(wire), as_result);
        }
    }
}
// [/write]

// [take]
inline std::string upstream::take()
{
    std::string wire;
    while (!backlog.empty() && on_the_wire.size() < window) {
        auto& next = *backlog.front();
        next.move_to(on_the_wire, on_the_wire.end());
        wire += next.code() + '\n';
    }
    return wire;
}
// [/take]

// [read]
// Bytes are not messages: one read can bring half a line, or three. A message is what ends with a line feed.
inline awaitable<void> upstream::read(tcp::socket& socket)
{
    std::string input;
    for (;;) {
        const auto [failed, length] =
            co_await asio::async_read_until(socket, asio::dynamic_buffer(input, longest_line), '\n', as_result);
        if (failed)
            co_return;
        deliver(input.substr(0, length));
        input.erase(0, length);
    }
}
// [/read]

// [watch]
// A backend that is frozen, or gone without a word, closes nothing. Something was written and nothing has come for a
// long time: that is how it looks.
inline awaitable<void> upstream::watch()
{
    const auto patience = 2 * reply_timeout;
    while (!silent_since || std::chrono::steady_clock::now() - *silent_since < patience)
        co_await sleep(patience / 8);
}
// [/watch]

// [deliver]
inline void upstream::deliver(std::string reply)
{
    const auto code = code_of(reply);
    if (!code)
        return;
    silent_since.reset();
    if (channels.contains(*code))
        channels.at(*code).try_send(error_code(), std::move(reply));
}
// [/deliver]

} // namespace guide
