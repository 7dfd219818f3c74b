// Exercise 2.2: a channel with a buffer keeps a reply that nobody waits for, and gives it to the next request.
#include <boost/asio.hpp>
#include <boost/asio/experimental/channel.hpp>

#include <exception>
#include <string>

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using reply_channel = asio::experimental::channel<void(error_code, std::string)>;

void rethrow(std::exception_ptr thrown)
{
    if (thrown)
        std::rethrow_exception(thrown);
}

// [ask]
// A request for a code, and the reply that the backend writes to it.
asio::awaitable<void> ask(reply_channel& channel, std::string reply, std::string& received)
{
    // Not within the call below: GCC 12 spoils a lambda that stands beside co_await in one expression.
    const auto executor = co_await asio::this_coro::executor;
    // With a copy of the reply: the coroutine may have ended by then.
    asio::post(executor, [&channel, reply] { channel.try_send(error_code(), reply); });
    received = co_await channel.async_receive(asio::deferred);
}

std::string ask_after_a_late_reply(std::size_t buffer)
{
    asio::io_context io(1);
    reply_channel channel(io, buffer);
    channel.try_send(error_code(), "late"); // its request has timed out, so nobody receives
    std::string received;
    asio::co_spawn(io, ask(channel, "fresh", received), rethrow);
    io.run();
    return received;
}
// [/ask]

} // namespace

int main() { return ask_after_a_late_reply(1) == "late" && ask_after_a_late_reply(0) == "fresh" ? 0 : 1; }
