// The HTTP side of one event loop: accepts clients, serves them, and ends in good order.
#pragma once

#include "upstream.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <exception>
#include <list>
#include <string>
#include <utility>

namespace guide {

constexpr auto accept_pause = 10ms;

// [answer]
inline awaitable<http_response> answer(const http_request& request, upstream& upstream)
{
    const auto code = code_in(std::string(request.target()));
    if (!code)
        co_return respond(request, http::status::bad_request, "error", "statusCode must be three letters or digits");
    const auto reply = co_await upstream.ask(*code);
    if (reply)
        co_return respond(request, http::status::ok, "data", *reply);
    if (reply.error() == failure::overloaded)
        co_return respond(request, http::status::service_unavailable, "error", "overloaded");
    co_return respond(request, http::status::gateway_timeout, "error", "timedout");
}
// [/answer]

// [session]
// One client, as long as its connection lasts.
class session {
public:
    explicit session(tcp::socket client)
        : client_(std::move(client))
    {
    }

    // Serves until the client leaves, or `drain` or `cut` ends it.
    awaitable<void> run(upstream& upstream);

    // The answer that is due is the last; a session that waits for no reply ends at once.
    void drain()
    {
        draining_ = true;
        idle_.emit(asio::cancellation_type::total);
    }

    // Ends it wherever it is. The wait for a request has a slot of its own, so it has to be told too.
    void cut()
    {
        idle_.emit(asio::cancellation_type::terminal);
        whole_.emit(asio::cancellation_type::terminal);
    }

    // Of the whole coroutine.
    asio::cancellation_slot slot() { return whole_.slot(); }

private:
    tcp::socket client_;
    bool draining_ = false;
    asio::cancellation_signal idle_;
    asio::cancellation_signal whole_;
};
// [/session]

// [run]
inline awaitable<void> session::run(upstream& upstream)
{
    boost::beast::flat_buffer buffer;
    for (bool stays_open = true; stays_open && !draining_;) {
        if (buffer.size() == 0) {
            const auto [ended] = co_await client_.async_wait(
                tcp::socket::wait_read,
                asio::bind_cancellation_slot(idle_.slot(), asio::as_tuple(asio::use_awaitable)));
            if (ended)
                co_return;
        }
        http_request request;
        const auto [not_read, received] = co_await http::async_read(client_, buffer, request, as_result);
        if (not_read)
            co_return;
        auto response = co_await answer(request, upstream);
        response.keep_alive(response.keep_alive() && !draining_);
        const auto [not_written, sent] = co_await http::async_write(client_, response, as_result);
        stays_open = !not_written && response.keep_alive();
    }
}
// [/run]

// [server_class]
// The HTTP side of one event loop.
class server {
public:
    server(asio::io_context& io, const tcp::endpoint& place);

    // Accepts and serves. Ends after `drain` or `cut`, with the last session.
    awaitable<void> run(upstream& upstream);

    void drain()
    {
        acceptor_.close();
        std::ranges::for_each(sessions_, &session::drain);
    }

    void cut()
    {
        acceptor_.close();
        std::ranges::for_each(sessions_, &session::cut);
    }

    tcp::endpoint place() const { return acceptor_.local_endpoint(); }

private:
    tcp::acceptor acceptor_;
    std::list<session> sessions_;
    wakeup session_ended_{acceptor_.get_executor(), 1};
};
// [/server_class]

// [listen]
inline server::server(asio::io_context& io, const tcp::endpoint& place)
    : acceptor_(io, place.protocol())
{
    const int yes = 1; // several sockets on one port; the kernel deals the clients to them
    ::setsockopt(acceptor_.native_handle(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(place);
    acceptor_.listen();
}
// [/listen]

// [serve]
inline awaitable<void> server::run(upstream& upstream)
{
    while (acceptor_.is_open()) {
        auto [error, client] = co_await acceptor_.async_accept(as_result);
        if (error) { // there may be too many open files: it passes when others close
            co_await sleep(accept_pause);
            continue;
        }
        const auto one = sessions_.emplace(sessions_.end(), std::move(client));
        if (!acceptor_.is_open()) // closed when this client had been accepted already
            one->drain();
        asio::co_spawn(acceptor_.get_executor(), one->run(upstream),
                       asio::bind_cancellation_slot(one->slot(), [this, one](std::exception_ptr thrown) {
                           sessions_.erase(one);
                           session_ended_.try_send(error_code());
                           rethrow(thrown);
                       }));
    }
    while (!sessions_.empty())
        co_await session_ended_.async_receive(as_result);
}
// [/serve]

} // namespace guide
