// Where the process tells an operator how it is: an HTTP server of its own, beside those for clients.
#pragma once

#include "admin/pages.hpp"
#include "http/server.hpp"
#include "net/asio.hpp"
#include "net/limit.hpp"
#include "service/settings.hpp"

#include <cstddef>
#include <optional>

namespace causeway::service {

/// Serves `admin::pages`. Belongs to one event loop, which outlives it; every call is made on its thread. Once started
/// it outlives its coroutines: after `stop` the loop runs until they have ended.
class admin_server {
public:
    /// Open at once; further ones wait.
    static constexpr std::size_t most_connections = 16;

    /// Listens from now on. Blocks while a name is looked up. An address that is in use is tried again until it is
    /// free, where `address` permits that; otherwise it is an error like all others, which throws `std::runtime_error`
    /// with a message that says what to do. While it tries again, no error ends anything: the log tells.
    /// `live`, which outlives it, is what the live page shows.
    admin_server(asio::io_context& io, const admin_address& address, admin::facts facts,
                 admin::pages::look look_at_process, admin::live_source& live);

    void start();

    /// Ends all connections, and listens no more.
    void stop();

private:
    awaitable<> run();
    awaitable<> listen_at_last();
    error_code listen();

    asio::io_context& io_;
    const tcp::endpoint place_;
    admin::pages pages_;
    net::limit connections_{most_connections};
    std::optional<http::server> server_; // as soon as it listens
    steady_timer retry_;
    bool stopped_ = false;
};

} // namespace causeway::service
