// Exercise 7.1: a client that sends no request for too long loses its connection.
#include "../until_first.hpp"

#include <array>
#include <string_view>

using namespace guide;

namespace {

// [read_request]
// Says in `failed` how it ended. When it is cancelled, the read of the socket that it waits for ends with an error, and
// so does `async_read`.
awaitable<void> read_request(tcp::socket& client, boost::beast::flat_buffer& buffer, http_request& request,
                             error_code& failed)
{
    const auto [error, received] = co_await http::async_read(client, buffer, request, as_result);
    failed = error;
}
// [/read_request]

// [session]
awaitable<void> session(tcp::socket& client, std::chrono::nanoseconds idle_timeout, int& served)
{
    boost::beast::flat_buffer buffer;
    for (;;) {
        http_request request;
        error_code failed = asio::error::timed_out; // unless the request comes first
        co_await until_first(read_request(client, buffer, request, failed), sleep(idle_timeout));
        if (failed)
            co_return;
        ++served;
        const http_response response(http::status::no_content, request.version());
        co_await http::async_write(client, response, as_result);
    }
}
// [/session]

awaitable<void> serve_one(tcp::acceptor& acceptor, int& served)
{
    auto [error, client] = co_await acceptor.async_accept(as_result);
    if (!error)
        co_await session(client, 50ms, served);
}

// Sends `bytes` and gives how the connection ends.
awaitable<void> send(tcp::endpoint server, std::string_view bytes, error_code& ended)
{
    tcp::socket socket(co_await asio::this_coro::executor);
    co_await socket.async_connect(server, asio::deferred);
    co_await asio::async_write(socket, asio::buffer(bytes), asio::deferred);
    std::array<char, 1024> answer;
    while (!ended) {
        const auto [error, count] = co_await socket.async_read_some(asio::buffer(answer), as_result);
        ended = error;
    }
}

// How many requests of a client are served that sends `bytes` and then nothing; -1 if its connection does not end.
int served_of(std::string_view bytes)
{
    asio::io_context io(1);
    tcp::acceptor acceptor(io, on_this_machine("0"));
    int served = 0;
    error_code ended;
    asio::co_spawn(io, serve_one(acceptor, served), rethrow);
    asio::co_spawn(io, send(acceptor.local_endpoint(), bytes, ended), rethrow);
    io.run_for(10s);
    return ended == asio::error::eof ? served : -1;
}

} // namespace

int main()
{
    constexpr std::string_view request = "GET /?statusCode=404 HTTP/1.1\r\nHost: here\r\n\r\n";
    return served_of("") == 0 && served_of(request.substr(0, 20)) == 0 && served_of(request) == 1 ? 0 : 1;
}
