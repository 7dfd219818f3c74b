#include "kit.hpp"

#include "net/rethrow.hpp"
#include "protocols/codes/protocol.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include <sys/eventfd.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <stdexcept>

namespace causeway::test {
namespace {

constexpr asio::use_awaitable_t<executor_type> or_throw{};

} // namespace

void run(asio::io_context& io, awaitable<> story)
{
    bool ended = false;
    std::exception_ptr failure;
    asio::co_spawn(io, std::move(story), [&](const std::exception_ptr& thrown) {
        ended = true;
        failure = thrown;
    });
    const auto deadline = clock::now() + patience;
    while (!ended && clock::now() < deadline)
        if (!wait_for_something(io, deadline) && !ended && io.stopped())
            throw std::runtime_error("nothing is left that could wake the test");
    if (failure)
        std::rethrow_exception(failure);
    if (!ended)
        throw std::runtime_error("the test did not end in time");
    finish(io);
}

void finish(asio::io_context& io)
{
    const auto deadline = clock::now() + patience;
    while (wait_for_something(io, deadline))
        ;
    if (!io.stopped())
        throw std::runtime_error("the test left something running");
}

awaitable<> settle()
{
    // Long enough for what crosses the loopback interface, which is delivered while it is sent.
    for (int turn = 0; turn < 20; ++turn)
        co_await asio::post(co_await asio::this_coro::executor, asio::deferred);
    co_await sleep(1ms);
}

awaitable<> sleep(std::chrono::nanoseconds duration)
{
    steady_timer timer(co_await asio::this_coro::executor, duration);
    co_await timer.async_wait(as_result);
}

other_client::other_client(asio::io_context& io)
    : event_(io, ::eventfd(0, 0))
{
}

void other_client::send() { ::eventfd_write(event_.native_handle(), 1); }

awaitable<> other_client::has_sent() { co_await event_.async_wait(asio::posix::descriptor_base::wait_read, or_throw); }

std::list<other_client> many_other_clients(asio::io_context& io)
{
    std::list<other_client> clients;
    for (int count = 0; count != 600; ++count)
        clients.emplace_back(io);
    return clients;
}

awaitable<std::string> peer::read_code()
{
    const auto [error, count] = co_await asio::async_read_until(socket, input_, '\n', as_result);
    if (error)
        co_return std::string();
    auto code = take(count);
    code.pop_back();
    co_return code;
}

awaitable<std::string> peer::read(std::size_t count)
{
    if (input_.size() < count) {
        const auto missing = asio::transfer_at_least(count - input_.size());
        const auto [error, more] = co_await asio::async_read(socket, input_, missing, as_result);
        if (error)
            co_return std::string();
    }
    co_return take(count);
}

std::string peer::take(std::size_t count)
{
    const auto begin = asio::buffers_begin(input_.data());
    std::string bytes(begin, begin + static_cast<std::ptrdiff_t>(count));
    input_.consume(count);
    return bytes;
}

awaitable<> peer::write(std::string bytes)
{
    // A script whose connection is gone goes on until it reads; nothing depends on what it writes.
    co_await asio::async_write(socket, asio::buffer(bytes), as_result);
}

awaitable<> peer::reply(std::string_view code) { return write(reply_line(code)); }

void peer::reset()
{
    error_code closed; // in the same turn, by the backend that goes away
    socket.set_option(asio::socket_base::linger(true, 0), closed);
    socket.close(closed);
}

std::string reply_line(std::string_view code) { return "Code " + std::string(code) + ": of the double\n"; }

backend_double::backend_double(asio::io_context& io, script for_each_connection, std::uint16_t port)
    : script_(std::move(for_each_connection))
    , acceptor_(io, tcp::endpoint(asio::ip::address_v4::loopback(), port))
    , port_(acceptor_.local_endpoint().port())
{
    spawn(listen());
}

void backend_double::spawn(awaitable<> coroutine)
{
    ++running_;
    asio::co_spawn(acceptor_.get_executor(), std::move(coroutine), [this](const std::exception_ptr& thrown) {
        --running_;
        net::rethrow(thrown);
    });
}

awaitable<> backend_double::listen()
{
    for (;;) {
        auto [error, socket] = co_await acceptor_.async_accept(as_result);
        if (error)
            co_return;
        ++connections_;
        spawn(serve(std::move(socket)));
    }
}

awaitable<> backend_double::serve(tcp_socket socket)
{
    socket.set_option(tcp::no_delay(true));
    peer peer(std::move(socket));
    peers_.push_back(&peer);
    co_await script_(peer);
    std::erase(peers_, &peer);
}

void backend_double::stop()
{
    acceptor_.close();
    close_connections();
}

void backend_double::close_connections()
{
    for (auto* peer : peers_)
        peer->socket.close();
}

awaitable<> backend_double::end()
{
    stop();
    while (running_ != 0)
        co_await settle();
}

awaitable<> answer_all(peer& peer)
{
    for (auto code = co_await peer.read_code(); !code.empty(); code = co_await peer.read_code())
        co_await peer.reply(code);
}

awaitable<> answer_nothing(peer& peer)
{
    std::string code = "any";
    while (!code.empty())
        code = co_await peer.read_code();
}

upstream::pool_settings settings_for(std::vector<net::host_port> upstreams)
{
    upstream::pool_settings settings;
    settings.upstreams = std::move(upstreams);
    settings.reply_timeout = patience;
    settings.reconnect_max = 100ms;
    settings.window = 1024;
    settings.protocol = codes::protocol();
    return settings;
}

awaitable<> http_client::connect(tcp::endpoint server) { co_await socket.async_connect(server, or_throw); }

awaitable<> http_client::send(std::string bytes) { co_await asio::async_write(socket, asio::buffer(bytes), or_throw); }

awaitable<http_response> http_client::receive(bool head)
{
    boost::beast::http::response_parser<boost::beast::http::string_body> parser;
    parser.skip(head);
    co_await boost::beast::http::async_read(socket, input_, parser, or_throw);
    co_return parser.release();
}

awaitable<http_response> http_client::get(std::string target)
{
    co_await send("GET " + target + " HTTP/1.1\r\nHost: test\r\n\r\n");
    co_return co_await receive();
}

awaitable<http_response> http_client::post(std::string json)
{
    co_await send("POST / HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: " +
                  std::to_string(json.size()) + "\r\n\r\n" + json);
    co_return co_await receive();
}

awaitable<bool> http_client::closed()
{
    if (input_.size() != 0)
        co_return false;
    char byte = 0;
    const auto [error, count] = co_await socket.async_read_some(asio::buffer(&byte, 1), as_result);
    co_return error == asio::error::eof;
}

} // namespace causeway::test
