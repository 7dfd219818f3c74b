#include "net/listen.hpp"

#include "net/sleep.hpp"
#include "net/socket_option.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>

#include <linux/filter.h>
#include <sys/socket.h>

namespace causeway::net {
namespace {

using reuse_port = integer_option<SOL_SOCKET, SO_REUSEPORT>;
using namespace std::chrono_literals;

// How long to leave connections in the listen queue when none can be taken now.
constexpr auto accept_pause = 50ms;

// The peer was gone before we got to it, or another notice was for the same connection: nothing is wrong here.
bool is_harmless(const error_code& error)
{
    return error == asio::error::would_block || error == asio::error::connection_aborted ||
           error == asio::error::interrupted;
}

} // namespace

tcp::endpoint resolve_for_listening(asio::io_context& io, const host_port& place)
{
    tcp_resolver resolver(io);
    return resolver.resolve(place.host, std::to_string(place.port), tcp_resolver::passive).begin()->endpoint();
}

tcp_acceptor listen(asio::io_context& io, const tcp::endpoint& place, port_sharing sharing)
{
    tcp_acceptor acceptor(io);
    acceptor.open(place.protocol());
    // A restart must not wait for the old connections' TIME_WAIT to pass.
    acceptor.set_option(asio::socket_base::reuse_address(true));
    // The kernel compares the option of both sockets in `bind`, and again in `listen`. Set before, it joins others; set
    // after both, the port was free, also of others who started in the same instant, and may be joined from now on.
    if (sharing == port_sharing::from_start)
        acceptor.set_option(reuse_port(1));
    acceptor.bind(place);
    acceptor.listen();
    if (sharing == port_sharing::afterwards)
        acceptor.set_option(reuse_port(1));
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
    error_code ignored; // a connection that is gone already; the first read will tell
    socket.non_blocking(true, ignored);
    // Every message here is complete when it is written; waiting to fill a segment only delays it.
    socket.set_option(tcp::no_delay(true), ignored);
    return accepted{std::move(socket), std::move(place)};
}

// A packet filter on this one socket, which sees TCP headers (RFC 9293 §3.1): a segment with SYN and without ACK is
// dropped. The connections that are accepted inherit it; none of their segments has SYN alone.
void refuse_handshakes(tcp_acceptor& acceptor)
{
    constexpr std::uint32_t flags = 13; // offset in the header
    constexpr std::uint32_t syn = 0x02;
    constexpr std::uint32_t ack = 0x10;
    constexpr std::uint32_t pass = 0xffffffff;
    constexpr std::uint32_t drop = 0;
    std::array<sock_filter, 5> program{{
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, flags),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, syn | ack),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, syn, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, drop),
        BPF_STMT(BPF_RET | BPF_K, pass),
    }};
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    if (::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0)
        spdlog::warn("cannot refuse new connections before the last ones are accepted: {}",
                     error_code(errno, boost::system::system_category()).message());
}

awaitable<std::optional<accepted>> accept(tcp_acceptor& acceptor, limit& connections)
{
    std::uint64_t failures = 0;
    for (;;) {
        // First see that somebody is there, then take a place, then accept: a place is never held for nobody.
        const auto [closed] = co_await acceptor.async_wait(asio::socket_base::wait_read, as_result);
        if (closed || !acceptor.is_open())
            co_return std::nullopt;

        error_code error;
        auto connection = accept_waiting(acceptor, connections, error);
        if (connection)
            co_return connection;
        if (is_harmless(error))
            continue;
        if (error && std::has_single_bit(++failures))
            spdlog::warn("cannot accept a connection: {}; trying again (failure {} in a row)", error.message(),
                         failures);
        co_await sleep(accept_pause);
    }
}

} // namespace causeway::net
