// What the service manager that has started the process, systemd for example, is told of it.
#pragma once

#include "net/asio.hpp"

#include <boost/asio/basic_datagram_socket.hpp>
#include <boost/asio/local/datagram_protocol.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace causeway::service {

/// Speaks systemd's notify protocol (sd_notify(3)) where NOTIFY_SOCKET in the environment names a socket; elsewhere
/// every call does nothing. It never waits: a message for which the socket has no room is lost, except for the state of
/// the process, which `tell` sends again. For one thread.
class service_manager {
public:
    /// `io` outlives it. Throws `boost::system::system_error` when there can be no socket.
    explicit service_manager(asio::io_context& io);

    /// Whether anybody is told anything.
    bool listens() const noexcept { return socket_.has_value(); }

    /// After how long without a `tell` that says `alive` the process is started again; nothing: never.
    std::optional<std::chrono::nanoseconds> watchdog() const noexcept { return watchdog_; }

    /// It serves from now on.
    void ready();

    /// Its settings are read again; and it is done with that. Nothing is told of a reload before `ready` and after
    /// `stopping`.
    void reloading();
    void reloaded();

    /// It stops, and is kept from its end for `drain` at most. A few seconds more are asked for.
    void stopping(std::chrono::nanoseconds drain = {});

    /// A line for people, without a line feed, and whether all that should turn does.
    void tell(std::string_view status, bool alive);

private:
    using protocol = asio::local::datagram_protocol;

    void enter(std::string state);
    bool send(const std::string& message);

    protocol::endpoint place_;
    std::optional<asio::basic_datagram_socket<protocol, executor_type>> socket_; // where somebody listens
    std::optional<std::chrono::nanoseconds> watchdog_;
    std::string untold_; // the state, while the socket has had no room for it
    bool serves_ = false;
};

} // namespace causeway::service
