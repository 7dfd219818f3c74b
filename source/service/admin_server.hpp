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

/// Where the admin pages are, and where their clients connect.
struct admin_listener {
    net::host_port address;               ///< as given
    tcp::endpoint place;                  ///< what it stands for
    std::optional<tcp_acceptor> acceptor; ///< none yet, or in use
};

/// Tries the address; blocks while a name is looked up. Throws `std::runtime_error` with a message that says what to
/// do, except that where `address` permits that, an address in use is no error. Such an address is free again
/// afterwards: it may be that of the clients, which comes first. Any other is listened on from now on.
admin_listener listen_for_admin(asio::io_context& io, const admin_address& address);

/// Serves `admin::pages`. Belongs to one event loop, which outlives it; every call is made on its thread. Once started
/// it outlives its coroutines: after `stop` the loop runs until they have ended.
class admin_server {
public:
    /// Open at once; further ones wait.
    static constexpr std::size_t most_connections = 16;

    /// An address on which it does not listen yet is tried, if need be again and again until it is free; meanwhile no
    /// error ends anything: the log tells.
    /// `live`, which outlives it, is what the live page shows.
    admin_server(asio::io_context& io, admin_listener listener, admin::facts facts, admin::pages::look look_at_process,
                 admin::live_source& live);

    void start();

    /// Ends all connections, and listens no more.
    void stop();

private:
    awaitable<> run();
    awaitable<> listen_at_last();

    asio::io_context& io_;
    admin_listener listener_;
    admin::pages pages_;
    net::limit connections_{most_connections};
    std::optional<http::server> server_; // with the acceptor, as soon as there is one
    steady_timer retry_;
    bool stopped_ = false;
};

} // namespace causeway::service
