// Reports to the service manager that has started the process, systemd for example.
#pragma once

#include "net/asio.hpp"

#include <boost/asio/basic_datagram_socket.hpp>
#include <boost/asio/local/datagram_protocol.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace causeway::service {

/// Speaks systemd's notify protocol (sd_notify(3)) if NOTIFY_SOCKET in the environment names a socket; otherwise every
/// call does nothing. It never waits: a message for which the socket has no room is lost, except for the state of the
/// process, which `tell` sends again. For one thread.
class service_manager {
public:
    /// `io` outlives it. Throws `boost::system::system_error` when the socket cannot be created.
    explicit service_manager(asio::io_context& io);

    /// Whether there is a service manager to report to.
    bool listens() const noexcept { return socket_.has_value(); }

    /// After how long without a `tell` that says `alive` the process is restarted; nothing: never.
    std::optional<std::chrono::nanoseconds> watchdog() const noexcept { return watchdog_; }

    /// The process serves from now on.
    void ready();

    /// A reload begins, or has ended. A reload is not reported before `ready` or after `stopping`.
    void reloading();
    void reloaded();

    /// The process stops, after a drain of at most `drain`. This asks for a few seconds more than that.
    void stopping(std::chrono::nanoseconds drain = {});

    /// A line for people, without a line feed, and whether every event loop is running.
    void tell(std::string_view status, bool alive);

private:
    using protocol = asio::local::datagram_protocol;

    void enter(std::string state);
    bool send(const std::string& message);

    protocol::endpoint place_;
    std::optional<asio::basic_datagram_socket<protocol, executor_type>> socket_; // if there is a service manager
    std::optional<std::chrono::nanoseconds> watchdog_;
    std::string untold_; // the state, while the socket had no room for it
    bool serves_ = false;
};

} // namespace causeway::service
