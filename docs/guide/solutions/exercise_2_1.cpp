// Exercise 2.1: who gets which of three replies, when two requests wait.
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

// [receive]
asio::awaitable<void> receive(reply_channel& channel, std::string& received)
{
    received = co_await channel.async_receive(asio::deferred);
}
// [/receive]

} // namespace

// [main]
int main()
{
    asio::io_context io(1);
    reply_channel channel(io);
    std::string first;
    std::string second;
    const bool nobody_waits = !channel.try_send(error_code(), "too early");
    asio::co_spawn(io, receive(channel, first), rethrow);
    asio::co_spawn(io, receive(channel, second), rethrow);
    io.poll(); // both coroutines run until they wait

    const bool two_waited = channel.try_send(error_code(), "one") && channel.try_send(error_code(), "two") &&
                            !channel.try_send(error_code(), "three");
    const bool have_not_run = first.empty() && second.empty();
    io.restart();
    io.run();
    return nobody_waits && two_waited && have_not_run && first == "one" && second == "two" ? 0 : 1;
}
// [/main]
