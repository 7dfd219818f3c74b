// The channel through which the replies for one key reach the requests that wait for it.
#pragma once

#include "net/asio.hpp"
#include "net/operation_memory.hpp"

#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/basic_channel.hpp>
#include <boost/asio/experimental/channel_traits.hpp>
#include <boost/asio/experimental/parallel_group.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <list>
#include <string>
#include <utility>

namespace causeway::upstream {

/// Brings each reply to the request that has waited longest. The channel is unbuffered, so sending succeeds only while
/// a receive is pending: a late, repeated or unsolicited reply finds no receiver and is not kept. Belongs to one event
/// loop; every call is made on its thread.
class reply_channels {
public:
    /// Carries a reply, or the error that ends a wait.
    using channel = asio::experimental::basic_channel<executor_type, asio::experimental::channel_traits<>,
                                                      void(error_code, std::string)>;

    /// Asio's channel goes through all its waits when one is cancelled. If thousands wait for one key and time out
    /// together, that would take time quadratic in their number; so a key with many waiting requests gets further
    /// channels.
    static constexpr std::size_t most_in_a_channel = 64;

    /// No request waits yet.
    explicit reply_channels(const executor_type& executor)
        : executor_(executor)
    {
    }

private:
    struct shared_channel {
        explicit shared_channel(const executor_type& executor)
            : replies(executor)
        {
        }

        channel replies;
        std::size_t subscriptions = 0;
    };

public:
    /// One wait. It keeps its channel until the wait has ended: the cancellation of a wait refers to the channel, which
    /// therefore must not be destroyed earlier.
    class subscription {
    public:
        explicit subscription(reply_channels& channels); ///< `channels` outlives it
        ~subscription();
        subscription(const subscription&) = delete;
        subscription& operator=(const subscription&) = delete;

        /// Waits for a reply until `deadline` expires. `co_await` gives four results: the order in which the reply and
        /// the deadline completed, which must be ignored; an error, `channel_cancelled` when the deadline was first, or
        /// what was sent to all; the reply; and how the wait for the deadline ended. To be called once.
        auto receive(steady_timer& deadline);

    private:
        reply_channels& channels_;
        std::list<shared_channel>::iterator channel_;
        net::operation_memory receive_; // of the race's two operations
        net::operation_memory wait_;
    };

    /// Gives `reply` to the request that has waited longest; false when none waits.
    bool send(std::string reply);

    /// Gives a copy of `reply` to each waiting request; false when none waits.
    bool send_to_all(const std::string& reply) { return send_to_all({}, reply); }

    /// Ends all waits with `error`.
    void fail_all(error_code error) { send_to_all(error, {}); }

private:
    bool send_to_all(error_code error, const std::string& reply);

    executor_type executor_;
    std::list<shared_channel> channels_; // the longest-waiting are in the first, which stays for later ones
};

inline reply_channels::subscription::subscription(reply_channels& channels)
    : channels_(channels)
{
    auto& all = channels.channels_;
    if (all.empty() || all.back().subscriptions == most_in_a_channel)
        all.emplace_back(channels.executor_);
    channel_ = std::prev(all.end());
    ++channel_->subscriptions;
}

inline reply_channels::subscription::~subscription()
{
    if (--channel_->subscriptions == 0 && channels_.channels_.size() != 1)
        channels_.channels_.erase(channel_);
}

// Not a coroutine, which would cost a frame: all it does is start the race.
inline auto reply_channels::subscription::receive(steady_timer& deadline)
{
    // The race has three ends. The third is the tie: the timer completes first, and before the receive can be
    // cancelled it has completed too. The order of completion would call that a timeout and throw away a reply that
    // arrived. So ignore the order: the receive itself says what it got.
    return asio::experimental::make_parallel_group(channel_->replies.async_receive(net::deferred_in(receive_)),
                                                   deadline.async_wait(net::deferred_in(wait_)))
        .async_wait(asio::experimental::wait_for_one(), asio::deferred);
}

inline bool reply_channels::send(std::string reply)
{
    return std::ranges::any_of(channels_, [&reply](shared_channel& shared) {
        return shared.replies.try_send(error_code{}, std::move(reply)); // moves it only if a receive is pending
    });
}

inline bool reply_channels::send_to_all(error_code error, const std::string& reply)
{
    bool taken = false;
    for (auto& shared : channels_)
        while (shared.replies.try_send(error, reply))
            taken = true;
    return taken;
}

} // namespace causeway::upstream
