#include "net/listen.hpp"

#include "net/leave_port.hpp"
#include "net/sleep.hpp"
#include "net/socket_option.hpp"
#include "net/worth_a_line.hpp"

#include <spdlog/spdlog.h>

#include <sys/socket.h>

namespace causeway::net {
namespace {

using reuse_port = integer_option<SOL_SOCKET, SO_REUSEPORT>;
using namespace std::chrono_literals;

// How long to leave connections in the listen queue when none can be accepted now: the cause of an error may last, a
// place is free again as soon as any connection ends.
constexpr auto pause_after_error = 50ms;
constexpr auto pause_without_place = 5ms;

// The peer was gone before it was accepted, or two notifications were for the same connection: nothing is wrong here.
bool is_harmless(const error_code& error)
{
    return error == asio::error::would_block || error == asio::error::connection_aborted ||
           error == asio::error::interrupted;
}

} // namespace

tcp::endpoint resolve_for_listening(asio::io_context& io, const host_port& place)
{
    tcp_resolver resolver(io);
    const auto found = resolver.resolve(place.host, std::to_string(place.port), tcp_resolver::passive);
    if (found.empty())
        throw boost::system::system_error(asio::error::host_not_found);
    return found.begin()->endpoint();
}

tcp_acceptor listen(asio::io_context& io, const tcp::endpoint& place, port_sharing sharing)
{
    tcp_acceptor acceptor(io);
    acceptor.open(place.protocol());
    // A restart must not wait for the old connections' TIME_WAIT to pass.
    acceptor.set_option(asio::socket_base::reuse_address(true));
    // The kernel compares the option of both sockets in `bind`, and again in `listen`. Set before these, it joins
    // others; set after both, the port was free, even of processes that started at the same instant, and may be joined
    // from now on.
    if (sharing == port_sharing::from_start)
        acceptor.set_option(reuse_port(1));
    acceptor.bind(place);
    acceptor.listen();
    if (sharing == port_sharing::afterwards)
        acceptor.set_option(reuse_port(1));
    else if (sharing == port_sharing::from_start)
        deal_newcomers_to_all(acceptor); // a process that left the port may have chosen other sockets
    acceptor.non_blocking(true);
    return acceptor;
}

std::optional<accepted> accept_waiting(tcp_acceptor& acceptor, limit& connections, error_code& error)
{
    error = {};
    auto place = connections.try_take();
    if (!place)
        return std::nullopt;
    tcp_socket socket(acceptor.get_executor());
    acceptor.accept(socket, error);
    if (error)
        return std::nullopt;
    error_code ignored; // the connection may be gone already; the first read will report it
    socket.non_blocking(true, ignored);
    // Every message here is complete when it is written; waiting to fill a segment only delays it.
    socket.set_option(tcp::no_delay(true), ignored);
    return accepted{std::move(socket), std::move(place)};
}

awaitable<std::optional<accepted>> accept(tcp_acceptor& acceptor, limit& connections, std::uint64_t& failures)
{
    for (;;) {
        // First wait for a connection, then take a place, then accept: a place is never held without a connection.
        auto [error] = co_await acceptor.async_wait(asio::socket_base::wait_read, as_result);
        if (!acceptor.is_open())
            co_return std::nullopt;
        if (!error) {
            auto connection = accept_waiting(acceptor, connections, error);
            if (connection)
                co_return connection;
            if (is_harmless(error))
                continue;
        }
        if (error && worth_a_line(++failures))
            spdlog::warn("cannot accept a connection: {}; trying again ({} failures so far)", error.message(),
                         failures);
        co_await sleep(error ? pause_after_error : pause_without_place);
    }
}

} // namespace causeway::net
