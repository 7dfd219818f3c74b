#include "net/connection.hpp"

#include "net/host_port.hpp"
#include "net/sleep.hpp"
#include "net/until_first.hpp"

#include <poll.h>

#include <array>
#include <chrono>

namespace causeway::net {
namespace {

using namespace std::chrono_literals;

// How long to wait for the peer to close its side after we have closed ours.
constexpr auto linger = 1s;

} // namespace

connection::connection(tcp_socket socket)
    : socket_(std::move(socket))
{
}

std::string connection::peer() const
{
    error_code gone;
    const auto endpoint = socket_.remote_endpoint(gone);
    return gone ? std::string() : to_string(endpoint);
}

awaitable<error_code> connection::handshake()
{
    for (;;) {
        const auto error = tls_.handshake();
        if (error != asio::error::would_block)
            co_return error;
        const auto [cancelled] = co_await socket_.async_wait(tls_.wanted(), as_result);
        if (cancelled)
            co_return cancelled;
    }
}

std::size_t connection::read_at_once(asio::mutable_buffer room, error_code& error)
{
    return tls_ ? tls_.read(room, error) : socket_.read_some(room, error);
}

std::size_t connection::write_at_once(asio::const_buffer bytes)
{
    error_code told_again;
    return tls_ ? tls_.write(bytes, told_again) : socket_.write_some(bytes, told_again);
}

bool connection::has_input() const
{
    error_code closed;
    return (tls_ && tls_.has_input()) || socket_.available(closed) != 0;
}

bool connection::peer_is_gone()
{
    pollfd ended{socket_.native_handle(), POLLRDHUP, 0};
    return ::poll(&ended, 1, 0) == 1;
}

// Cancelling on a closed socket does nothing.
void connection::stop_reading()
{
    error_code closed;
    socket_.cancel(closed);
}

void connection::close()
{
    error_code ignored;
    socket_.close(ignored);
    if (tls_)
        tls_.forget_socket();
}

void connection::reset()
{
    error_code closed;
    socket_.set_option(asio::socket_base::linger(true, 0), closed);
    close();
}

// Closing a socket with unread input resets the connection, and a reset can overtake what was sent before it. So only
// our side is closed, and the peer gets a moment to read and to close the other (RFC 9112 §9.6).
awaitable<> connection::hang_up()
{
    if (tls_)
        tls_.say_goodbye();
    error_code gone;
    socket_.shutdown(tcp_socket::shutdown_send, gone);
    if (!gone)
        co_await until_first(discard_input(), sleep(linger));
}

awaitable<> connection::discard_input()
{
    std::array<char, 1024> discarded{};
    error_code ended;
    while (!ended) {
        const auto [error, count] = co_await socket_.async_read_some(asio::buffer(discarded), as_result);
        ended = error;
    }
}

} // namespace causeway::net
