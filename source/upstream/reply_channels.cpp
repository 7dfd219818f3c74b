#include "upstream/reply_channels.hpp"

#include <boost/asio/experimental/parallel_group.hpp>

#include <utility>

namespace causeway::upstream {

using asio::deferred;
using asio::experimental::make_parallel_group;
using asio::experimental::wait_for_one;

reply_channels::subscription::subscription(reply_channels& channels, codes::code code)
    : channels_(channels)
    , entry_(channels.channels_.try_emplace(code, channels.executor_).first)
{
    ++entry_->second.subscriptions;
}

reply_channels::subscription::~subscription()
{
    if (--entry_->second.subscriptions == 0)
        channels_.channels_.erase(entry_);
}

awaitable<std::tuple<error_code, reply>> reply_channels::subscription::receive(steady_timer& deadline)
{
    auto [order, receive_error, received, deadline_error] =
        co_await make_parallel_group(entry_->second.replies.async_receive(deferred), deadline.async_wait(deferred))
            .async_wait(wait_for_one(), deferred);

    // The race has three ends. The third is the tie: the timer completes first, and before the receive can be
    // cancelled it has completed too. `order` would call that a timeout and throw away a reply that arrived. So
    // nobody asks who was first: the receive itself says what it got.
    co_return std::tuple(receive_error, std::move(received));
}

bool reply_channels::deliver(codes::code code, reply reply)
{
    const auto entry = channels_.find(code);
    return entry != channels_.end() && entry->second.replies.try_send(error_code{}, std::move(reply));
}

void reply_channels::close()
{
    for (auto& [code, shared] : channels_)
        shared.replies.close();
}

} // namespace causeway::upstream
