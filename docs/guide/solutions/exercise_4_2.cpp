// Exercise 4.2: a channel is there as long as a request waits for its code.
#include <boost/asio.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/experimental/parallel_group.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;

void rethrow(std::exception_ptr thrown)
{
    if (thrown)
        std::rethrow_exception(thrown);
}

// [channels]
struct shared_channel {
    asio::experimental::channel<void(error_code, std::string)> replies;
    std::size_t subscriptions = 0;
};
using reply_channels = std::map<std::string, shared_channel>;

// One wait. The last one for a code takes the channel with it. That is not before its race has ended: the cancellation
// of a receive refers to the channel.
class subscription {
public:
    subscription(const asio::any_io_executor& executor, reply_channels& channels, const std::string& code)
        : channels_(channels)
        , place_(channels.try_emplace(code, shared_channel{{executor}}).first)
    {
        ++place_->second.subscriptions;
    }
    ~subscription()
    {
        if (--place_->second.subscriptions == 0)
            channels_.erase(place_);
    }
    subscription(const subscription&) = delete;
    subscription& operator=(const subscription&) = delete;

    auto& replies() { return place_->second.replies; }

private:
    reply_channels& channels_;
    reply_channels::iterator place_;
};
// [/channels]

// [ask]
asio::awaitable<void> ask(reply_channels& channels, std::string code, std::chrono::milliseconds timeout,
                          std::optional<std::string>& reply)
{
    const auto executor = co_await asio::this_coro::executor;
    subscription waiting(executor, channels, code);
    asio::steady_timer deadline(executor, timeout);
    auto [order, error, received, expiry] =
        co_await asio::experimental::make_parallel_group(waiting.replies().async_receive(asio::deferred),
                                                         deadline.async_wait(asio::deferred))
            .async_wait(asio::experimental::wait_for_one(), asio::deferred);
    if (!error)
        reply = std::move(received);
}
// [/ask]

} // namespace

int main()
{
    asio::io_context io(1);
    reply_channels channels;
    std::optional<std::string> early;
    std::optional<std::string> late;
    asio::co_spawn(io, ask(channels, "404", 1min, early), rethrow);
    asio::co_spawn(io, ask(channels, "404", 1min, late), rethrow);
    std::optional<std::string> never;
    asio::co_spawn(io, ask(channels, "500", 1ms, never), rethrow);
    io.poll();
    const bool one_for_each_code = channels.size() == 2;

    channels.at("404").replies.try_send(error_code(), "one");
    io.restart();
    while (channels.size() == 2)
        io.run_one();
    const bool second_still_waits = channels.contains("404") && !late;
    channels.at("404").replies.try_send(error_code(), "two");
    io.run();
    return one_for_each_code && second_still_waits && channels.empty() && early == "one" && late == "two" && !never ? 0
                                                                                                                    : 1;
}
