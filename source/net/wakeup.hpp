// One coroutine sleeps until another signals that there is something to do.
#pragma once

#include "net/asio.hpp"

#include <boost/asio/experimental/basic_channel.hpp>
#include <boost/asio/experimental/channel_traits.hpp>

namespace causeway::net {

/// An auto-reset event. Any number of `notify` calls before a `wait` end that one wait: a notification is kept until
/// the next wait. Only after a cancelled wait can it be lost, so check for work before waiting. For one waiting
/// coroutine, all on the event loop's own thread.
class wakeup {
public:
    /// An event on the loop of `executor`, not yet notified.
    explicit wakeup(const executor_type& executor)
        : notices_(executor, 1)
    {
    }

    /// Ends the current wait, or else the next one.
    void notify() { notices_.try_send(error_code{}); }

    /// `co_await` gives a tuple of one error code: none after a notification, otherwise the wait was cancelled.
    auto wait() { return notices_.async_receive(as_result); }

private:
    asio::experimental::basic_channel<executor_type, asio::experimental::channel_traits<>, void(error_code)> notices_;
};

} // namespace causeway::net
