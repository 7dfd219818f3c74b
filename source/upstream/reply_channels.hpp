// A channel for each code that somebody waits for.
#pragma once

#include "codes/code.hpp"
#include "net/asio.hpp"

#include <boost/asio/experimental/basic_channel.hpp>
#include <boost/asio/experimental/channel_traits.hpp>

#include <list>
#include <string>
#include <tuple>
#include <unordered_map>

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

    /// Keeps a channel of one code open. The channel goes with the last of them, after their waits have ended: the
    /// cancellation of a wait refers to the channel, so it must not go earlier.
    class subscription {
    public:
        subscription(reply_channels& channels, codes::code code);
        ~subscription();
        subscription(const subscription&) = delete;
        subscription& operator=(const subscription&) = delete;

        /// Waits for a reply until `deadline` expires. Gives the reply, or an error: `channel_cancelled` when
        /// the deadline came first, `channel_closed` after `close()`.
        awaitable<std::tuple<error_code, reply>> receive(steady_timer& deadline);

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
    executor_type executor_;
    channel_map channels_;
};

} // namespace causeway::upstream
