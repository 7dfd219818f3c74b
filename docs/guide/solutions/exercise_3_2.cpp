// Exercise 3.2: the tie without a second process, and without luck.
#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using reply_channel = asio::experimental::channel<void(error_code, std::string)>;

void rethrow(std::exception_ptr thrown)
{
    if (thrown)
        std::rethrow_exception(thrown);
}

asio::awaitable<void> ask(reply_channel& channel, asio::steady_timer& deadline, std::optional<std::string>& reply)
{
    using namespace asio::experimental::awaitable_operators;
    constexpr auto as_result =
        asio::as_tuple(asio::use_awaitable); // a wait that was cancelled has ended like any other
    auto first = co_await (channel.async_receive(as_result) || deadline.async_wait(as_result));
    if (auto* received = std::get_if<0>(&first))
        reply = std::move(std::get<std::string>(*received));
}

} // namespace

// [main]
int main()
{
    asio::io_context io(1);
    reply_channel channel(io);
    asio::steady_timer deadline(io, std::chrono::minutes(1));
    std::optional<std::string> reply;
    asio::co_spawn(io, ask(channel, deadline, reply), rethrow);
    io.poll(); // it waits

    // The loop does not turn between these two. Both waits are over then, the timer's first.
    deadline.cancel();
    const bool was_taken = channel.try_send(error_code(), "in the same turn");
    io.restart();
    io.run();
    return was_taken && !reply ? 0 : 1; // the channel gave the reply to a request that did not get it
}
// [/main]
