#include "service/admin_server.hpp"

#include "net/listen.hpp"
#include "net/rethrow.hpp"
#include "net/worth_a_line.hpp"
#include "service/cannot_listen.hpp"

#include <boost/asio/co_spawn.hpp>
#include <spdlog/spdlog.h>

#include <cstdint>
#include <utility>

namespace causeway::service {
namespace {

using namespace std::chrono_literals;

// In a rolling restart the old process has the address until it ends.
constexpr auto listen_retry = 250ms;

// A client that connects and sends nothing, or does not read, takes one of few places.
constexpr http::time_limits limits{.idle = 1s, .reading = 2s, .writing = 2s};

tcp::endpoint resolve(asio::io_context& io, const net::host_port& place)
try {
    return net::resolve_for_listening(io, place);
} catch (const boost::system::system_error& error) {
    throw cannot_listen_for_admin(place, error.code());
}

error_code listen(asio::io_context& io, admin_listener& listener)
try {
    listener.acceptor = net::listen(io, listener.place, net::port_sharing::never);
    return {};
} catch (const boost::system::system_error& error) {
    return error.code();
}

} // namespace

admin_listener listen_for_admin(asio::io_context& io, const admin_address& address)
{
    admin_listener listener{address.place, resolve(io, address.place), std::nullopt};
    const auto error = listen(io, listener);
    if (error && !(address.if_free && error == asio::error::address_in_use))
        throw cannot_listen_for_admin(address.place, error);
    if (address.if_free)
        listener.acceptor.reset();
    return listener;
}

admin_server::admin_server(asio::io_context& io, admin_listener listener, admin::facts facts,
                           admin::pages::look look_at_process, admin::live_source& live)
    : io_(io)
    , listener_(std::move(listener))
    , pages_(std::move(facts), std::move(look_at_process), live, listener_.address.host)
    , retry_(io)
{
    if (!listener_.acceptor && listen(io_, listener_) == asio::error::address_in_use)
        spdlog::warn("no metrics yet: {} is in use; trying again until it is free; choose another address with --admin",
                     net::to_string(listener_.address));
}

void admin_server::start() { asio::co_spawn(io_, run(), net::rethrow); }

awaitable<> admin_server::run()
{
    co_await listen_at_last();
    if (stopped_)
        co_return;
    server_.emplace(*std::move(listener_.acceptor), pages_, limits, connections_);
    const auto place = net::to_string(server_->endpoint());
    spdlog::info("metrics on http://{}/metrics, live on http://{}/", place, place);
    co_await server_->run();
}

// Returns when it listens or was stopped. The clients are served meanwhile, whatever is wrong with this address.
awaitable<> admin_server::listen_at_last()
{
    std::uint64_t failures = 0;
    while (!listener_.acceptor && !stopped_) {
        retry_.expires_after(listen_retry);
        co_await retry_.async_wait(as_result);
        const auto error = stopped_ ? error_code() : listen(io_, listener_);
        if (error && error != asio::error::address_in_use && net::worth_a_line(++failures))
            spdlog::warn("no metrics yet: cannot listen on {}: {}; trying again ({} failures so far)",
                         net::to_string(listener_.place), error.message(), failures);
    }
}

void admin_server::stop()
{
    stopped_ = true;
    retry_.cancel();
    if (server_)
        server_->cut();
}

} // namespace causeway::service
