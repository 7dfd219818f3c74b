#include "upstream/reply_channels.hpp"

#include <boost/asio/experimental/parallel_group.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace causeway::upstream {

using asio::deferred;
using asio::experimental::make_parallel_group;
using asio::experimental::wait_for_one;

reply_channels::subscription::subscription(reply_channels& channels, codes::code code)
    : channels_(channels)
    , code_(code)
    , of_code_(channels.channels_[code])
{
    if (of_code_.empty() || of_code_.back().subscriptions == most_in_a_channel)
        of_code_.emplace_back(channels.executor_);
    channel_ = std::prev(of_code_.end());
    ++channel_->subscriptions;
}

reply_channels::subscription::~subscription()
{
    if (--channel_->subscriptions != 0)
        return;
    of_code_.erase(channel_);
    if (of_code_.empty())
        channels_.channels_.erase(code_);
}

awaitable<std::tuple<error_code, reply>> reply_channels::subscription::receive(steady_timer& deadline)
{
    auto [order, receive_error, received, deadline_error] =
        co_await make_parallel_group(channel_->replies.async_receive(deferred), deadline.async_wait(deferred))
            .async_wait(wait_for_one(), deferred);

    // The race has three ends. The third is the tie: the timer completes first, and before the receive can be
    // cancelled it has completed too. `order` would call that a timeout and throw away a reply that arrived. So
    // nobody asks who was first: the receive itself says what it got.
    co_return std::tuple(receive_error, std::move(received));
}

bool reply_channels::deliver(codes::code code, reply reply)
{
    const auto of_code = channels_.find(code);
    if (of_code == channels_.end())
        return false;
    const auto takes_it = [&reply](shared_channel& shared) {
        return shared.replies.try_send(error_code{}, std::move(reply)); // moves it only when somebody takes it
    };
    return std::ranges::any_of(of_code->second, takes_it);
}

bool reply_channels::deliver_to_all(codes::code code, const reply& reply)
{
    const auto of_code = channels_.find(code);
    if (of_code == channels_.end())
        return false;
    bool taken = false;
    for (auto& shared : of_code->second)
        while (shared.replies.try_send(error_code{}, reply))
            taken = true;
    return taken;
}

void reply_channels::close()
{
    for (auto& [code, channels] : channels_)
        for (auto& shared : channels)
            shared.replies.close();
}

} // namespace causeway::upstream
