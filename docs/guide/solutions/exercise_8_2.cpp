// Exercise 8.2: a session that says goodbye when it is cancelled.
#include "../until_first.hpp"

#include <array>
#include <string>
#include <string_view>

using namespace guide;

namespace {

constexpr std::string_view goodbye = "bye\n";

awaitable<void> say_goodbye(tcp::socket& client)
{
    co_await asio::async_write(client, asio::buffer(goodbye), as_result);
}

// [session]
// Without the first line, the `co_await` behind the loop would throw: the coroutine has been cancelled, and to wait for
// something else is not what cancelled coroutines do unless they say so.
awaitable<void> session(tcp::socket& client)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    std::array<char, 1024> bytes;
    error_code ended;
    while (!ended) {
        const auto [error, count] = co_await client.async_read_some(asio::buffer(bytes), as_result);
        ended = error;
    }
    if (ended == asio::error::operation_aborted)
        co_await until_first(say_goodbye(client), sleep(1s));
}
// [/session]

awaitable<void> receive(tcp::socket& socket, std::string& received)
{
    co_await asio::async_read(socket, asio::dynamic_buffer(received), as_result);
}

} // namespace

int main()
{
    asio::io_context io(1);
    tcp::acceptor acceptor(io, on_this_machine("0"));
    tcp::socket client(io);
    client.connect(acceptor.local_endpoint());
    std::string received;
    asio::cancellation_signal cut;
    {
        auto accepted = acceptor.accept();
        asio::co_spawn(io, session(accepted), asio::bind_cancellation_slot(cut.slot(), rethrow));
        io.poll(); // it waits
        cut.emit(asio::cancellation_type::terminal);
        io.restart();
        io.run();
    }
    asio::co_spawn(io, receive(client, received), rethrow);
    io.restart();
    io.run();
    return received == goodbye ? 0 : 1;
}
