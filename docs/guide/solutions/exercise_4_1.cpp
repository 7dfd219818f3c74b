// Exercise 4.1: the three ends of the race, each made to happen.
#include <boost/asio.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/experimental/parallel_group.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <exception>
#include <string>
#include <utility>

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using reply_channel = asio::experimental::channel<void(error_code, std::string)>;
using namespace std::chrono_literals;

void rethrow(std::exception_ptr thrown)
{
    if (thrown)
        std::rethrow_exception(thrown);
}

struct race {
    explicit race(std::chrono::milliseconds timeout)
        : deadline(io, timeout)
    {
        asio::co_spawn(io, run(), rethrow);
        io.poll(); // it waits
        io.restart();
    }

    asio::awaitable<void> run()
    {
        auto [order, receive_error, received, expiry] =
            co_await asio::experimental::make_parallel_group(replies.async_receive(asio::deferred),
                                                             deadline.async_wait(asio::deferred))
                .async_wait(asio::experimental::wait_for_one(), asio::deferred);
        first = order[0];
        error = receive_error;
        reply = std::move(received);
    }

    bool send(const std::string& text) { return replies.try_send(error_code(), text); }

    asio::io_context io{1};
    reply_channel replies{io};
    asio::steady_timer deadline;
    std::size_t first = 2; // 0 is the reply, 1 the deadline
    error_code error;
    std::string reply;
};

// [ends]
bool the_reply_comes_first()
{
    race race(1min);
    const bool taken = race.send("a reply");
    race.io.run();
    return taken && race.first == 0 && !race.error && race.reply == "a reply";
}

bool the_deadline_comes_first()
{
    race race(1ms);
    race.io.run();
    return race.first == 1 && race.error && !race.send("too late");
}

bool both_come_in_the_same_turn()
{
    race race(1min);
    // The loop does not turn between these two. Both waits are over then, the timer's first.
    race.deadline.cancel();
    const bool taken = race.send("a reply");
    race.io.run();
    return taken && race.first == 1 && !race.error && race.reply == "a reply";
}
// [/ends]

} // namespace

int main() { return the_reply_comes_first() && the_deadline_comes_first() && both_come_in_the_same_turn() ? 0 : 1; }
