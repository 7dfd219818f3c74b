// Exercise 6.1: pauses that begin anew only when a connection has been of use.
#include "../backoff.hpp"
#include "../until_first.hpp"

#include <exception>
#include <string>
#include <string_view>

using namespace guide;

namespace {

// Counts the connections that a server gets which hangs up at once, or only after a line.
awaitable<void> hang_up(tcp::acceptor& acceptor, std::string_view line)
{
    for (;;) {
        auto [error, client] = co_await acceptor.async_accept(as_result);
        if (error)
            co_return;
        co_await asio::async_write(client, asio::buffer(line), as_result);
    }
}

// [read]
// Only the reader knows whether something has come. It says so in a variable of whoever awaits it, as coroutines in
// `until_first` give all their results.
awaitable<void> read(tcp::socket& socket, bool& received)
{
    std::string input;
    for (;;) {
        const auto [failed, length] =
            co_await asio::async_read_until(socket, asio::dynamic_buffer(input), '\n', as_result);
        if (failed)
            co_return;
        received = true;
        input.erase(0, length);
    }
}
// [/read]

// [run]
awaitable<void> run(tcp::endpoint backend, int connections, backoff& backoff)
{
    for (int connection = 0; connection != connections; ++connection) {
        tcp::socket socket(co_await asio::this_coro::executor);
        const auto [not_connected] = co_await socket.async_connect(backend, as_result);
        bool received = false;
        if (!not_connected)
            co_await read(socket, received);
        if (received)
            backoff = {};
        co_await sleep(backoff.next() / 100); // so that the exercise takes no time
    }
}
// [/run]

// The ceiling of the next pause after that many connections.
std::chrono::milliseconds ceiling_after(int connections, std::string_view line)
{
    asio::io_context io(1);
    tcp::acceptor acceptor(io, on_this_machine("0"));
    asio::co_spawn(io, hang_up(acceptor, line), rethrow);
    backoff backoff;
    asio::co_spawn(io, run(acceptor.local_endpoint(), connections, backoff), [&](std::exception_ptr thrown) {
        acceptor.close();
        rethrow(thrown);
    });
    io.run();
    return backoff.ceiling;
}

} // namespace

int main()
{
    const bool grows = ceiling_after(2, "") == 4 * backoff::first_ceiling;
    const bool has_an_end = ceiling_after(9, "") == backoff::longest;
    const bool begins_anew = ceiling_after(9, "Code 404: Not Found\n") == 2 * backoff::first_ceiling;
    return grows && has_an_end && begins_anew ? 0 : 1;
}
