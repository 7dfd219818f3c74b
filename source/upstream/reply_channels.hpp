// A channel for each code that somebody waits for.
#pragma once

#include "codes/code.hpp"
#include "net/asio.hpp"

#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/basic_channel.hpp>
#include <boost/asio/experimental/channel_traits.hpp>
#include <boost/asio/experimental/parallel_group.hpp>

#include <cstddef>
#include <list>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace causeway::upstream {

class lane;

/// What an upstream said, and which connection it said it on.
struct reply {
    std::string line; ///< its line feed included
    lane* from = nullptr;
};

/// Brings each reply to the request that has waited longest for its code. The channels are unbuffered, so sending
/// succeeds only while somebody receives: a reply that comes late, twice or unasked finds nobody and is not kept for
/// anybody. Belongs to one event loop; every call is made on its thread.
class reply_channels {
public:
    using channel =
        asio::experimental::basic_channel<executor_type, asio::experimental::channel_traits<>, void(error_code, reply)>;

    explicit reply_channels(const executor_type& executor)
        : executor_(executor)
    {
        spare_.reserve(most_spare);
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
    // The longest waiting are in the first. One is enough for most codes, see `most_in_a_channel`.
    using channels_of_a_code = std::list<shared_channel>;
    using channel_map = std::unordered_map<codes::code, channels_of_a_code>;

public:
    /// Asio's channel looks at all its waits when one is cancelled. When thousands wait for one code and time out
    /// together, that would take the square of their number; so a code that many wait for gets further channels.
    static constexpr std::size_t most_in_a_channel = 64;

    /// Keeps a channel of one code open. The last of them gives the channel back, to go or to serve another code, after
    /// their waits have ended: the cancellation of a wait refers to the channel, so it must not go earlier.
    class subscription {
    public:
        subscription(reply_channels& channels, codes::code code);
        ~subscription();
        subscription(const subscription&) = delete;
        subscription& operator=(const subscription&) = delete;

        /// Waits for a reply until `deadline` expires. Gives the reply, or an error: `channel_cancelled` when
        /// the deadline came first, `channel_closed` after `close()`.
        auto receive(steady_timer& deadline);

    private:
        reply_channels& channels_;
        codes::code code_;
        channels_of_a_code& of_code_;
        channels_of_a_code::iterator channel_;
    };

    /// Gives `reply` to the request that has waited longest for `code`; false when nobody waits.
    bool deliver(codes::code code, reply reply);

    /// Gives a copy of `reply` to each request that waits for `code`; false when nobody waits.
    bool deliver_to_all(codes::code code, const reply& reply);

    /// Ends all waits with an error; for stopping.
    void close();

    /// Codes that somebody waits for.
    std::size_t size() const noexcept { return channels_.size(); }

private:
    // A channel is made of several pieces of memory. So some are kept for the next codes, each in the node that it had
    // in the map. Nobody waits on it then, because a subscription ends after its wait.
    static constexpr std::size_t most_spare = 64;

    channels_of_a_code& channels_for(codes::code code);
    void give_back(codes::code code);

    executor_type executor_;
    channel_map channels_;
    std::vector<channel_map::node_type> spare_;
};

// Not a coroutine: it would cost a frame, and there is nothing to do but to begin the race.
inline auto reply_channels::subscription::receive(steady_timer& deadline)
{
    using asio::deferred;
    using asio::experimental::make_parallel_group;
    using asio::experimental::wait_for_one;

    // The race has three ends. The third is the tie: the timer completes first, and before the receive can be
    // cancelled it has completed too. The order of completion would call that a timeout and throw away a reply that
    // arrived. So nobody asks who was first: the receive itself says what it got.
    const auto what_was_received = [](const auto&, error_code error, reply received, error_code) {
        return deferred.values(std::tuple(error, std::move(received)));
    };
    return make_parallel_group(channel_->replies.async_receive(deferred), deadline.async_wait(deferred))
        .async_wait(wait_for_one(), deferred(what_was_received));
}

} // namespace causeway::upstream
