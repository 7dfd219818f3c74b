#include "service/admin_server.hpp"

#include "net/listen.hpp"
#include "net/rethrow.hpp"
#include "service/cannot_listen.hpp"

#include <boost/asio/co_spawn.hpp>
#include <spdlog/spdlog.h>

#include <utility>

namespace causeway::service {
namespace {

using namespace std::chrono_literals;

// In a rolling restart the old process has the address until it ends.
constexpr auto listen_retry = 250ms;

} // namespace

admin_server::admin_server(asio::io_context& io, const admin_address& address, admin::facts facts,
                           admin::pages::look look_at_process)
    : io_(io)
    , address_(address)
    , pages_(std::move(facts), std::move(look_at_process))
    , retry_(io)
{
    if (!listen())
        spdlog::warn("no metrics yet: {} is in use; trying again until it is free; choose another address with --admin",
                     net::to_string(address_.place));
}

// False when the address is in use and that is no error.
bool admin_server::listen()
try {
    server_.emplace(net::listen(io_, net::resolve_for_listening(io_, address_.place), net::port_sharing::never), pages_,
                    http::time_limits{}, connections_);
    return true;
} catch (const boost::system::system_error& error) {
    if (address_.if_free && error.code() == asio::error::address_in_use)
        return false;
    throw cannot_listen_for_admin(address_.place, error.code());
}

void admin_server::start() { asio::co_spawn(io_, run(), net::rethrow); }

awaitable<> admin_server::run()
{
    while (!stopped_ && !server_ && !listen()) {
        retry_.expires_after(listen_retry);
        co_await retry_.async_wait(as_result);
    }
    if (stopped_)
        co_return;
    spdlog::info("metrics on http://{}/metrics", net::to_string(server_->endpoint()));
    co_await server_->run();
}

void admin_server::stop()
{
    stopped_ = true;
    retry_.cancel();
    if (server_)
        server_->cut();
}

} // namespace causeway::service
