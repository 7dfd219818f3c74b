#include "tls_relay.hpp"

#include "net/until_first.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <utility>

namespace causeway::test {
namespace {

// Passes on what comes, until either has ended.
template <class From, class To>
awaitable<> pass_on(From& from, To& to)
{
    std::array<char, 16 * 1024> bytes;
    for (;;) {
        const auto [ended, count] = co_await from.async_read_some(asio::buffer(bytes), as_result);
        if (ended)
            co_return;
        const auto [failed, written] = co_await asio::async_write(to, asio::buffer(bytes, count), as_result);
        if (failed)
            co_return;
    }
}

} // namespace

tls_relay::tls_relay(const identity& shown, std::uint16_t port)
    : acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0))
    , server_(asio::ip::address_v4::loopback(), port)
{
    context_.use_certificate_chain_file(shown.certificate);
    context_.use_private_key_file(shown.private_key, asio::ssl::context::pem);
    asio::co_spawn(io_, listen(), asio::detached);
    thread_ = std::jthread([this] { io_.run(); });
}

tls_relay::~tls_relay() { io_.stop(); }

std::string tls_relay::address() const { return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }

awaitable<> tls_relay::listen()
{
    for (;;) {
        auto [failed, client] = co_await acceptor_.async_accept(as_result);
        if (!failed)
            asio::co_spawn(io_, relay(std::move(client)), asio::detached);
    }
}

awaitable<> tls_relay::relay(tcp_socket client)
{
    tcp_socket server(io_);
    const auto [away] = co_await server.async_connect(server_, as_result);
    if (away)
        co_return;
    asio::ssl::stream<tcp_socket> stream(std::move(client), context_);
    const auto [refused] = co_await stream.async_handshake(asio::ssl::stream_base::server, as_result);
    if (!refused)
        co_await net::until_first(pass_on(stream, server), pass_on(server, stream));
}

} // namespace causeway::test
