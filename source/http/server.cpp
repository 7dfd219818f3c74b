#include "http/server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace causeway::http {
namespace {

// An exception ends the one session that threw it; the others have nothing to do with it.
void log_failure(const std::exception_ptr& thrown)
{
    try {
        if (thrown)
            std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
        spdlog::error("an HTTP session failed: {}", error.what());
    }
}

} // namespace

server::server(tcp_acceptor acceptor, ask_function ask, net::limit& connections)
    : acceptor_(std::move(acceptor))
    , ask_(std::move(ask))
    , connections_(connections)
    , session_ended_(acceptor_.get_executor())
{
}

awaitable<> server::run()
{
    const auto when_ended = [this](const std::exception_ptr& thrown) {
        log_failure(thrown);
        session_ended_.notify();
    };
    while (auto connection = co_await net::accept(acceptor_, connections_))
        asio::co_spawn(acceptor_.get_executor(), serve(std::move(*connection)), when_ended);
    while (!sessions_.empty())
        co_await session_ended_.wait();
}

awaitable<> server::serve(net::accepted connection)
{
    session session(std::move(connection.socket), ask_);
    sessions_.push_back(session);
    co_await session.run();
}

void server::drain()
{
    acceptor_.close();
    std::ranges::for_each(sessions_, &session::drain);
}

std::size_t server::cut()
{
    acceptor_.close();
    const auto under_way = std::ranges::count_if(sessions_, &session::busy);
    std::ranges::for_each(sessions_, &session::cut);
    return static_cast<std::size_t>(under_way);
}

} // namespace causeway::http
