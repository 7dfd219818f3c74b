// One coroutine sleeps until another says that there is something to do.
#pragma once

#include "net/asio.hpp"

#include <boost/asio/experimental/basic_channel.hpp>
#include <boost/asio/experimental/channel_traits.hpp>

namespace causeway::net {

/// An event that resets itself. Any number of `notify` calls before a `wait` end that one wait: a notice stays until
/// somebody waits. Only after a wait that was cancelled it may be lost, so whoever waits looks first whether there is
/// something to do. For one waiting coroutine, all on the event loop's own thread.
class wakeup {
public:
    explicit wakeup(const executor_type& executor)
        : notices_(executor, 1)
    {
    }

    /// Ends the current wait, or else the next one.
    void notify() { notices_.try_send(error_code{}); }

    /// `co_await` gives a tuple of one error code: none after a notice, otherwise the wait was cancelled.
    auto wait() { return notices_.async_receive(as_result); }

private:
    asio::experimental::basic_channel<executor_type, asio::experimental::channel_traits<>, void(error_code)> notices_;
};

} // namespace causeway::net
