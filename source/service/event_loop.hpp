// One thread's world: an event loop with its own HTTP server and its own upstream connections.
#pragma once

#include "admin/happenings.hpp"
#include "admin/report.hpp"
#include "http/server.hpp"
#include "net/asio.hpp"
#include "net/limit.hpp"
#include "protocols/iso8583/protocol.hpp"
#include "service/access_log.hpp"
#include "service/code_lookup.hpp"
#include "service/payment_relay.hpp"
#include "service/sampler.hpp"
#include "upstream/pool.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace causeway::service {

/// What all event loops count together. Outlives them.
struct shared_limits {
    net::limit pending;
    net::limit connections;
};

/// No other thread touches its members during `run`. Constructed before and destroyed after it.
class event_loop {
public:
    /// Passes on payments if there are settings for them, and looks up codes otherwise; `upstream` has the same
    /// protocol. Listens on `listen` from now on, with TLS if there is a context; throws `boost::system::system_error`
    /// when the address is unavailable.
    event_loop(const tcp::endpoint& listen, net::port_sharing sharing, const upstream::pool_settings& upstream,
               const http::time_limits& times, shared_limits& limits, net::tls_context tls = {},
               const std::optional<iso8583::settings>& payments = {});

    /// Serves on the calling thread until drained or cut, and until every coroutine has ended: only its own members are
    /// left to be destroyed with the loop.
    void run();

    /// Any thread: from now on `pool::apply`, `server::apply` and `server::use_tls` hold for these.
    void apply(const upstream::pool_settings& upstream, const http::time_limits& times, const net::tls_context& tls);

    /// Any thread: from now on requests are logged in this file and format, by `writer`, which outlives the loop; or no
    /// longer, if there is no file.
    void log_accesses(access_writer& writer, std::shared_ptr<access_file> file, log_format format);

    /// Any thread, before `drain`: new connections go to `chosen` of all sockets on the port.
    void deal_newcomers(net::sockets_of_port chosen) { server_.deal_newcomers(chosen); }

    /// Any thread, before `drain`: refuse new connections, if no other process serves the port.
    void refuse_newcomers() { server_.refuse_newcomers(); }

    /// Any thread: finish the requests in flight, then end. New connections go to `others`, the sockets of another
    /// process, if there are any.
    void drain(net::sockets_of_port others = {});

    /// Any thread: end now. The requests in flight count into `requests_cut()`.
    void cut();

    /// Where it listens, with the real port. Before `run`.
    tcp::endpoint endpoint() const { return server_.endpoint(); }

    /// Any thread: puts `figures()` into `room`, then calls `done`, both on the loop's thread in a separate turn; never
    /// if `run` ends before that. So the loop allocates nothing large, after which glibc would tidy its heap at the
    /// expense of the next requests.
    void report(admin::loop_figures& room, std::function<void()> done);

    /// Any thread: from now on it records what happens, see `sampler`; or no longer.
    void watch(bool on);

    /// Any thread: puts what it has recorded into `room`, then calls `done`, like `report`. Does nothing if it records
    /// nothing.
    void fetch_happenings(admin::happenings& room, std::function<void()> done);

    /// Any thread: if it records what happens, see `sampler::expect` and `forget`.
    void expect_request(std::string id);
    void forget_request(std::string id);

    /// The loop's counters and waiting requests. Before or after `run`.
    admin::loop_figures figures() const { return {server_.counts(), pool_.figures(), access_lines_lost()}; }
    upstream::statistics counts() const { return pool_.counts(); }
    std::size_t requests_cut() const noexcept { return requests_cut_; }
    std::uint64_t access_lines_lost() const noexcept { return access_log_ ? access_log_->lost() : 0; }

private:
    awaitable<> serve();
    void choose_recorder();

    // One thread runs it, others only post to it: so its sockets need no locks.
    asio::io_context io_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
    std::optional<sampler> sampler_; // while somebody watches
    upstream::pool pool_;
    std::variant<code_lookup, payment_relay> handler_; // asks `pool_`
    std::optional<access_log> access_log_;
    bool logs_accesses_ = false;
    http::server server_;
    std::size_t requests_cut_ = 0;
};

} // namespace causeway::service
