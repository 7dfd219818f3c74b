// A TCP connection from a client, and what has to be known about sockets to serve it well.
#pragma once

#include "net/asio.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include <cstddef>
#include <utility>

namespace causeway::net {

/// A connected socket in non-blocking mode, as `accept` gives it. TLS is a property of a socket too, so a stream for it
/// would stand in here and nowhere else. Belongs to one event loop; every call is made on its thread. It outlives what
/// it began. To destroy it closes it. No call throws for what a peer or a network can do.
class connection {
public:
    explicit connection(tcp_socket socket);

    executor_type get_executor() { return socket_.get_executor(); }

    /// Waits for bytes and puts them into `room`, which outlives the wait. The signature of `token` is
    /// `void(error_code, std::size_t)`: why there are none, or how many there are.
    template <class Token>
    auto read(asio::mutable_buffer room, Token&& token)
    {
        return socket_.async_read_some(room, std::forward<Token>(token));
    }

    /// Puts into `room` what has come, without waiting. Gives how many bytes; none also at the end of the input or
    /// after an error, both of which the next `read` tells.
    std::size_t read_at_once(asio::mutable_buffer room);

    /// Sends all of `bytes`, which outlive that. `co_await` gives a tuple of the error, if any, and how many were sent.
    auto write(asio::const_buffer bytes) { return asio::async_write(socket_, bytes, as_result); }

    /// Sends what the kernel has room for, without waiting. Gives how many bytes; none also after an error, which
    /// the next `write` tells.
    std::size_t write_at_once(asio::const_buffer bytes);

    /// True when something has come that was not read yet.
    bool has_input() const;

    /// True when the peer has ended the connection, or its own side of it, also behind input that nobody has read yet.
    bool peer_is_gone();

    /// Ends the `read` that is under way, if any, with `operation_aborted`.
    void stop_reading();

    /// Ends what is under way and closes the connection, without waiting for the peer to take what it was sent.
    void close();

    /// The same, and the peer learns that it did not get all.
    void reset();

    /// Ends the connection so that the peer gets all that was sent to it: closes our side, then reads what still comes
    /// until the peer has closed its own, or for a second.
    awaitable<> hang_up();

private:
    awaitable<> discard_input();

    tcp_socket socket_;
};

} // namespace causeway::net
