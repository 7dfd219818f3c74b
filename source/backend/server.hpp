// A TCP server, whatever it answers to its clients.
#pragma once

#include "backend/client.hpp"
#include "backend/responder.hpp"
#include "net/asio.hpp"
#include "net/host_port.hpp"
#include "net/limit.hpp"
#include "net/listen.hpp"

#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace causeway::backend {

/// Serves clients on one event loop; every call is made on its thread. It outlives the coroutines that it starts: after
/// `stop` the loop runs until they have ended, and only then may the server be destroyed.
class server {
public:
    /// The log calls it `name`. While the address is in use, the server retries every `bind_retry`, and the log adds
    /// `when_in_use`, which says what else its user can do. At most `most_clients` are served at once; further ones
    /// wait in the listen queue. Throws `boost::system::system_error` when the host is unknown.
    server(asio::io_context& io, std::string name, const net::host_port& listen, std::chrono::nanoseconds bind_retry,
           std::size_t most_clients, std::string when_in_use);
    virtual ~server() = default;
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    /// Binds and serves until `stop`. As soon as clients can connect, `listens` is called. An address that is
    /// unavailable for any reason other than being in use throws `boost::system::system_error` out of the event loop.
    void start(std::function<void()> listens = [] {});

    /// Ends all connections and stops listening.
    void stop();

    /// How many clients are connected now.
    std::size_t clients() const noexcept { return places_.taken(); }

private:
    /// Makes the responder for a new client.
    virtual std::unique_ptr<responder> make_responder() = 0;

    awaitable<> run(std::function<void()> listens);
    awaitable<> bind();
    awaitable<> serve(net::accepted connection);

    asio::io_context& io_;
    std::string name_;
    tcp::endpoint listen_;
    std::chrono::nanoseconds bind_retry_;
    std::string when_in_use_;
    steady_timer retry_;
    std::optional<tcp_acceptor> acceptor_; // once the address is available
    std::uint64_t accept_failures_ = 0;
    net::limit places_; // for clients
    boost::intrusive::list<client, boost::intrusive::constant_time_size<false>> clients_;
    bool stopped_ = false;
};

} // namespace causeway::backend
