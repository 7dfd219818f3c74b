// The backend that a step of the guide asks.
#pragma once

#include "../integration/blocking.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace causeway::guide {

/// Replies what a test says, when it says so, on the connection that it says. It has no thread: the kernel accepts
/// connections and keeps what has come, until a test asks for it. Connections are counted from 0, in the order in which
/// they were opened.
class backend {
public:
    /// A code that was asked for, and on which connection.
    struct question {
        std::string code;
        std::size_t connection;
    };

    /// Listens on 127.0.0.1; port 0 takes a free one.
    explicit backend(std::uint16_t port = 0)
        : listener_(port)
    {
    }

    std::uint16_t port() const noexcept { return listener_.port(); }

    /// Blocks until a question has come, on whatever connection, and gives it. Throws when none comes within
    /// `patience`.
    question next();

    /// True when a question has come that `next` has not given yet.
    bool was_asked();

    /// Sends `bytes` on the connection on which this was asked.
    void reply(const question& asked, std::string_view bytes);

    /// How many connections have been opened so far.
    std::size_t opened();

    /// True when the other side has closed this connection.
    bool has_ended(std::size_t connection);

    /// Closes this connection.
    void close(std::size_t connection);

    /// From now on it refuses connections.
    void stop_listening() noexcept { listener_.close(); }

private:
    struct peer {
        test::connection connection;
        bool has_ended = false;
    };

    void take_in();

    test::listener listener_;
    std::deque<peer> peers_;
    std::deque<question> questions_;
};

} // namespace causeway::guide
